//! Whether bytes are a picture, and what kind: found out by decoding all of it, once, within limits.

use std::io::Cursor;

use image::codecs::gif::GifDecoder;
use image::codecs::jpeg::JpegDecoder;
use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::error::{LimitError, LimitErrorKind};
use image::{
    AnimationDecoder, DynamicImage, Frames, ImageDecoder, ImageError, ImageFormat, ImageResult, Limits,
};

/// The longest side of a picture, in pixels.
pub(super) const SIDE_MAX: u32 = 4096;
/// The most memory that decoding may take, in bytes: an opaque picture of the longest sides.
const ALLOC_BYTES_MAX: u64 = 48 << 20;
/// What a decoder keeps of each pixel and channel of a progressive JPEG until the last scan.
const COEFFICIENT_BYTES: u64 = 2;
/// What the decoder of WebP keeps of each pixel beside the picture.
const WEBP_PIXEL_BYTES: u64 = 4;
/// The most memory that one pixel of an animation takes: the picture, the one before it, and the two of them as shown.
const ANIMATION_PIXEL_BYTES: u64 = 3 * 4;
/// The most pixels of all pictures of an animation, as they are shown.
const ANIMATION_PIXELS_MAX: u64 = 32 << 20;

/// The media type of a picture that can be a cover: PNG, JPEG, WebP or GIF, whole, and with nothing after its end.
/// `None` for anything else; nobody needs to know why.
pub(super) fn media_type(bytes: &[u8]) -> Option<&'static str> {
    // What a picture is named says nothing, and what begins like one need not be one.
    let format = image::guess_format(bytes).ok()?;
    let media_type = match format {
        ImageFormat::Png => "image/png",
        ImageFormat::Jpeg => "image/jpeg",
        ImageFormat::WebP => "image/webp",
        ImageFormat::Gif => "image/gif",
        _ => return None,
    };
    (is_whole(format, bytes) && decode(format, bytes).is_ok()).then_some(media_type)
}

/// Whether the end is there: decoders show what they have of a picture that broke off.
fn is_whole(format: ImageFormat, bytes: &[u8]) -> bool {
    match format {
        // The chunk IEND: no bytes, its name, its checksum.
        ImageFormat::Png => bytes.ends_with(b"\0\0\0\0IEND\xae\x42\x60\x82"),
        // The marker EOI; some cameras fill up with zeros.
        ImageFormat::Jpeg => {
            let filling = bytes.iter().rev().take_while(|byte| **byte == 0).count();
            bytes[..bytes.len() - filling].ends_with(b"\xff\xd9")
        }
        // The head of the file counts what follows it and itself.
        ImageFormat::WebP => {
            let length = bytes.get(4..8).and_then(|field| field.try_into().ok()).map(u32::from_le_bytes);
            length.is_some_and(|length| u64::from(length) + 8 == bytes.len() as u64)
        }
        ImageFormat::Gif => bytes.ends_with(b"\x3b"),
        _ => false,
    }
}

fn decode(format: ImageFormat, bytes: &[u8]) -> ImageResult<()> {
    let input = Cursor::new(bytes);
    match format {
        ImageFormat::Png => {
            let decoder = PngDecoder::with_limits(input, limits())?;
            let size = decoder.dimensions();
            if decoder.is_apng()? { watch(size, decoder.apng()?.into_frames()) } else { look(decoder, 0) }
        }
        ImageFormat::Jpeg => {
            let decoder = JpegDecoder::new(input)?;
            let kept = if is_progressive(bytes) { COEFFICIENT_BYTES * decoder.total_bytes() } else { 0 };
            look(decoder, kept)
        }
        ImageFormat::WebP => {
            let mut decoder = WebPDecoder::new(input)?;
            decoder.set_limits(limits())?;
            let size = decoder.dimensions();
            let kept = WEBP_PIXEL_BYTES * u64::from(size.0) * u64::from(size.1);
            if decoder.has_animation() { watch(size, decoder.into_frames()) } else { look(decoder, kept) }
        }
        ImageFormat::Gif => {
            let mut decoder = GifDecoder::new(input)?;
            decoder.set_limits(limits())?;
            let size = decoder.dimensions();
            watch(size, decoder.into_frames())
        }
        _ => Err(too_much()),
    }
}

/// Whether a JPEG may come in several scans. The marker may also be that of a thumbnail inside, which is as well.
fn is_progressive(bytes: &[u8]) -> bool {
    bytes.windows(2).any(|marker| matches!(marker, [0xff, 0xc2 | 0xc6 | 0xca | 0xce]))
}

/// Decodes a still picture, for which the decoder keeps so many bytes beside the picture itself.
fn look(mut decoder: impl ImageDecoder, kept_bytes: u64) -> ImageResult<()> {
    let mut limits = limits();
    limits.check_dimensions(decoder.dimensions().0, decoder.dimensions().1)?;
    limits.reserve(kept_bytes)?;
    limits.reserve(decoder.total_bytes())?;
    decoder.set_limits(limits)?;
    DynamicImage::from_decoder(decoder).map(drop)
}

/// Decodes every picture of an animation.
fn watch((width, height): (u32, u32), frames: Frames<'_>) -> ImageResult<()> {
    let pixels = (u64::from(width) * u64::from(height)).max(1);
    limits().reserve(pixels * ANIMATION_PIXEL_BYTES)?;
    let mut left = ANIMATION_PIXELS_MAX / pixels;
    let mut shown = false;
    for frame in frames {
        frame?;
        shown = true;
        left = left.checked_sub(1).ok_or_else(too_much)?;
    }
    if shown { Ok(()) } else { Err(too_much()) }
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_image_width = Some(SIDE_MAX);
    limits.max_image_height = Some(SIDE_MAX);
    limits.max_alloc = Some(ALLOC_BYTES_MAX);
    limits
}

fn too_much() -> ImageError {
    ImageError::Limits(LimitError::from_kind(LimitErrorKind::InsufficientMemory))
}
