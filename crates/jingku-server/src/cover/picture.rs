//! Checks a picture by decoding all of it, within limits.

use std::io::Cursor;

use gif::{ColorOutput, DecodeOptions};
use image_webp::WebPDecoder;
use png::{BitDepth, Limits, Transformations};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

/// Maximum width and height of a picture, in pixels.
pub(super) const SIDE_MAX: u32 = 4096;
/// Maximum memory of a decoder, in bytes: an opaque picture of maximum width and height.
const ALLOC_BYTES_MAX: u64 = 48 << 20;
/// Bytes that a decoder keeps per pixel and channel of a progressive JPEG until the last scan.
const COEFFICIENT_BYTES: u64 = 2;
/// Bytes that the WebP decoder keeps per pixel besides the picture.
const WEBP_PIXEL_BYTES: u64 = 4;
/// Maximum bytes per pixel of an animation: the frame, the previous frame, and the composed picture.
const ANIMATION_PIXEL_BYTES: u64 = 3 * 4;
/// Maximum number of composed pixels of all frames of an animation.
const ANIMATION_PIXELS_MAX: u64 = 32 << 20;

/// Decodes a whole picture; `None` if it is corrupted or too large.
type Decode = fn(&[u8]) -> Option<()>;

/// Returns the media type of a picture that can be a cover: PNG, JPEG, WebP or GIF, complete, with nothing after its end.
pub(super) fn media_type(bytes: &[u8]) -> Option<&'static str> {
    // Decoders accept truncated pictures, so the end is checked here.
    let (media_type, is_complete, decode): (_, _, Decode) = match bytes {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => {
            // The chunk IEND: length 0, name, checksum.
            ("image/png", bytes.ends_with(b"\0\0\0\0IEND\xae\x42\x60\x82"), decode_png)
        }
        [0xff, 0xd8, 0xff, ..] => {
            // The marker EOI; some cameras append zeros.
            let zeros = bytes.iter().rev().take_while(|byte| **byte == 0).count();
            ("image/jpeg", bytes[..bytes.len() - zeros].ends_with(b"\xff\xd9"), decode_jpeg)
        }
        [b'R', b'I', b'F', b'F', a, b, c, d, b'W', b'E', b'B', b'P', ..] => {
            // The length excludes the eight bytes up to and including itself.
            let length = u64::from(u32::from_le_bytes([*a, *b, *c, *d]));
            ("image/webp", length + 8 == bytes.len() as u64, decode_webp)
        }
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => {
            ("image/gif", bytes.ends_with(b"\x3b"), decode_gif)
        }
        _ => return None,
    };
    (is_complete && decode(bytes).is_some()).then_some(media_type)
}

fn decode_png(bytes: &[u8]) -> Option<()> {
    let limits = Limits { bytes: usize::try_from(ALLOC_BYTES_MAX).ok()? };
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(bytes), limits);
    let size = decoder.read_header_info().ok()?.size();
    check_sides(size)?;
    decoder.set_transformations(Transformations::EXPAND);
    let mut reader = decoder.read_info().ok()?;
    let mut picture = allocate(reader.output_buffer_size()?, 0)?;
    let Some(animation) = reader.info().animation_control().copied() else {
        return reader.next_frame(&mut picture).ok().map(drop);
    };
    if reader.output_color_type().1 == BitDepth::Sixteen {
        return None;
    }
    // The default image need not be part of the animation.
    let is_separate = reader.info().frame_control.is_none();
    if is_separate {
        reader.next_frame(&mut picture).ok()?;
    }
    let mut budget = PixelBudget::new(size)?;
    for _ in 0..animation.num_frames {
        budget.take(size)?;
        reader.next_frame(&mut picture).ok()?;
    }
    budget.end()
}

fn decode_jpeg(bytes: &[u8]) -> Option<()> {
    let side_max = usize::try_from(SIDE_MAX).ok()?;
    let options = DecoderOptions::default().set_strict_mode(false);
    let options = options.set_max_width(side_max).set_max_height(side_max);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().ok()?;
    let color_space = match decoder.input_colorspace()? {
        ColorSpace::Luma => ColorSpace::Luma,
        _ => ColorSpace::RGB,
    };
    decoder.set_options(options.jpeg_set_out_colorspace(color_space));
    let length = decoder.output_buffer_size()?;
    // A thumbnail may contain the marker; then the estimate is high.
    let is_progressive = bytes.windows(2).any(|marker| matches!(marker, [0xff, 0xc2 | 0xc6 | 0xca | 0xce]));
    let kept_bytes = if is_progressive { COEFFICIENT_BYTES * length as u64 } else { 0 };
    decoder.decode_into(&mut allocate(length, kept_bytes)?).ok()
}

fn decode_webp(bytes: &[u8]) -> Option<()> {
    let mut decoder = WebPDecoder::new(Cursor::new(bytes)).ok()?;
    let size = decoder.dimensions();
    check_sides(size)?;
    let length = decoder.output_buffer_size()?;
    if !decoder.is_animated() {
        let mut picture = allocate(length, WEBP_PIXEL_BYTES * pixels(size))?;
        return decoder.read_image(&mut picture).ok();
    }
    let mut budget = PixelBudget::new(size)?;
    let mut picture = allocate(length, 0)?;
    for _ in 0..decoder.num_frames() {
        budget.take(size)?;
        decoder.read_frame(&mut picture).ok()?;
    }
    budget.end()
}

fn decode_gif(bytes: &[u8]) -> Option<()> {
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::RGBA);
    let mut decoder = options.read_info(bytes).ok()?;
    let size = (u32::from(decoder.width()), u32::from(decoder.height()));
    check_sides(size)?;
    let mut budget = PixelBudget::new(size)?;
    while let Some(frame) = decoder.next_frame_info().ok()? {
        // A frame can be larger than the picture.
        let frame_size = (u32::from(frame.width), u32::from(frame.height));
        budget.take(if pixels(frame_size) > pixels(size) { frame_size } else { size })?;
        let mut picture = allocate(decoder.buffer_size(), 2 * 4 * pixels(size))?;
        decoder.read_into_buffer(&mut picture).ok()?;
    }
    budget.end()
}

fn check_sides((width, height): (u32, u32)) -> Option<()> {
    (width <= SIDE_MAX && height <= SIDE_MAX).then_some(())
}

fn pixels((width, height): (u32, u32)) -> u64 {
    u64::from(width) * u64::from(height)
}

/// Allocates a picture whose decoder keeps `kept_bytes` besides it; `None` beyond the limit.
fn allocate(length: usize, kept_bytes: u64) -> Option<Vec<u8>> {
    (length as u64 + kept_bytes <= ALLOC_BYTES_MAX).then(|| vec![0; length])
}

struct PixelBudget(u64);

impl PixelBudget {
    /// `None` if one frame needs too much memory.
    fn new(size: (u32, u32)) -> Option<Self> {
        let fits = pixels(size) * ANIMATION_PIXEL_BYTES <= ALLOC_BYTES_MAX;
        fits.then_some(Self(ANIMATION_PIXELS_MAX))
    }

    fn take(&mut self, size: (u32, u32)) -> Option<()> {
        self.0 = self.0.checked_sub(pixels(size).max(1))?;
        Some(())
    }

    /// `None` if the animation has no frame.
    fn end(&self) -> Option<()> {
        (self.0 < ANIMATION_PIXELS_MAX).then_some(())
    }
}
