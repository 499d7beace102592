//! Names of images that the operator chooses.

use jingku_protocol::actions::is_image_name;

/// A text that cannot be an image name.
#[derive(Debug, thiserror::Error)]
#[error(
    "{0:?} cannot be the name of an image: use 1 to 50 Chinese characters, letters, digits and _ , . : -"
)]
pub struct BadImageName(pub String);

/// Refuses an invalid name.
pub(crate) fn check_image_name(name: Option<&str>) -> Result<(), BadImageName> {
    match name {
        Some(name) if !is_image_name(name) => Err(BadImageName(name.to_owned())),
        _ => Ok(()),
    }
}
