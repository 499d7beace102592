use jingku_catalog::{AccountId, CopyImage, DeleteImage, NewCopy, Scope};
use jingku_protocol::PlatformType;
use jingku_protocol::actions::is_image_name;

use super::error::OperatorError;
use crate::library::Library;
use crate::random::image_id;

/// An image that was made one of the platform's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlatformImage {
    /// Its id, which is not that of the image it was copied from.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it is offered as.
    pub platform_type: PlatformType,
    /// The image it was copied from, which stays as it is.
    pub copied_from: String,
}

impl Library {
    /// Copies an image of any account to the platform, where everybody sees it. No byte is copied. Its name is that of
    /// the image unless another is given.
    pub async fn promote_image(
        &self,
        id: &str,
        platform_type: PlatformType,
        name: Option<&str>,
    ) -> Result<PlatformImage, OperatorError> {
        if let Some(name) = name.filter(|name| !is_image_name(name)) {
            return Err(OperatorError::BadImageName(name.to_owned()));
        }
        let names = |original: &str, number: u32| {
            (number == 0).then(|| name.map_or_else(|| original.to_owned(), str::to_owned))
        };
        let copy_id = image_id(&*self.random);
        let copy = NewCopy {
            id: &copy_id,
            owner: AccountId::PLATFORM,
            name: &names,
            description: None,
            place: None,
            platform_type: platform_type.as_str(),
            request: None,
        };
        match self.catalog.copy_image(Scope::everybody(), id, copy, self.clock.now()).await? {
            CopyImage::AlreadyCopied(_) => unreachable!("it is asked for by no request"),
            CopyImage::Copied(name) => {
                Ok(PlatformImage { id: copy_id, name, platform_type, copied_from: id.to_owned() })
            }
            CopyImage::NotFound => Err(OperatorError::NoImage(id.to_owned())),
            CopyImage::NotAvailable => Err(OperatorError::ImageNotWhole(id.to_owned())),
            CopyImage::NameTaken => Err(OperatorError::PlatformNameTaken(id.to_owned())),
            CopyImage::OverLimit(over) => Err(OperatorError::OverLimit(over)),
        }
    }

    /// Takes an image away from the platform. The one it was copied from, and instances started from it, stay.
    pub async fn demote_image(&self, id: &str) -> Result<(), OperatorError> {
        if self.catalog.delete_image(Scope::platform(), id, self.clock.now()).await? == DeleteImage::Deleted {
            Ok(())
        } else {
            Err(OperatorError::NoPlatformImage(id.to_owned()))
        }
    }
}
