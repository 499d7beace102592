use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::bounded::ImageId;
use crate::image::Image;
use crate::image_query::ImageQuery;
use crate::paging::Paging;
use crate::place::Place;

/// Lists the images of the caller's own account, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase")]
pub struct DescribeCompShareCustomImagesRequest {
    /// Narrows the list to images held there.
    #[cfg_attr(feature = "schema", schemars(flatten))]
    pub place: Place,
    /// Exactly this image, with its readme.
    #[serde(rename = "CompShareImageId")]
    pub image_id: Option<ImageId>,
    /// Extension: which of the images, and in what order.
    #[cfg_attr(feature = "schema", schemars(flatten))]
    pub query: ImageQuery,
    /// Which page.
    #[cfg_attr(feature = "schema", schemars(flatten))]
    pub paging: Paging,
}

/// A page of images.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct DescribeCompShareCustomImagesResponse {
    /// Images that match, on all pages.
    pub total_count: i64,
    /// The images of this page.
    pub image_set: Vec<Image>,
    /// Extension: where the next page starts; empty on the last one.
    pub next_token: String,
}

/// A [`DescribeCompShareCustomImagesResponse`] whose images are serialised already.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are those of the response")]
pub struct ImageRows<'a> {
    pub total_count: i64,
    pub image_set: &'a [&'a RawValue],
    pub next_token: &'a str,
}

impl ImageRows<'_> {
    /// Serialises the response.
    pub fn to_json(&self) -> Vec<u8> {
        const OTHER_BYTES: usize = 256;
        let rows: usize = self.image_set.iter().map(|row| row.get().len() + 1).sum();
        let mut json = Vec::with_capacity(OTHER_BYTES + self.next_token.len() + rows);
        serde_json::to_writer(&mut json, self).expect("text, numbers and lists serialise");
        json
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::to_raw_value;

    use super::*;

    #[test]
    fn rows_are_serialised_like_images() {
        let images = [Image { name: "\"环境\"\n".into(), ..Image::default() }, Image::default()];
        for count in 0..=images.len() {
            let response = DescribeCompShareCustomImagesResponse {
                total_count: 7,
                image_set: images[..count].to_vec(),
                next_token: "a\"b".into(),
            };
            let rows: Vec<_> = images[..count].iter().map(|row| to_raw_value(row).unwrap()).collect();
            let image_set: Vec<&RawValue> = rows.iter().map(|row| &**row).collect();
            let page = ImageRows { total_count: 7, image_set: &image_set, next_token: "a\"b" };
            assert_eq!(page.to_json(), serde_json::to_vec(&response).unwrap());
        }
    }
}
