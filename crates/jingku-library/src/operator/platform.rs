//! Images of the platform, which everyone sees.

use jingku_catalog::{AccountId, CatalogError, CopyImage, DeleteImage, NewCopy, Scope};
use jingku_protocol::PlatformType;

use crate::account_limits::AccountFull;
use crate::error::{LibraryError, from_library_errors};
use crate::image_name::{BadImageName, check_image_name};
use crate::library::Library;
use crate::random::image_id;

/// Why a command on images of the platform failed. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum PlatformError {
    /// No account has such an image.
    #[error("There is no image {0:?}. `jingku image list` shows an account's own.")]
    NoImage(String),
    /// The image is not complete.
    #[error(
        "Image {0:?} is being made, waits for review or could not be made. Only one that is Available or Offline will do."
    )]
    ImageNotWhole(String),
    /// Another image of the platform has the name.
    #[error("The platform has an image with the name that {0:?} would get. Choose another with --name.")]
    PlatformNameTaken(String),
    /// The platform has no such image.
    #[error("The platform has no image {0:?}. It may have been taken away before.")]
    NoPlatformImage(String),
    /// The text cannot be an image name.
    #[error(transparent)]
    BadName(#[from] BadImageName),
    /// The account is at its limit.
    #[error(transparent)]
    Full(#[from] AccountFull),
    /// The library failed.
    #[error(transparent)]
    Library(#[from] LibraryError),
}

from_library_errors!(PlatformError: CatalogError);

/// An image that was copied to the platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlatformImage {
    /// Its id, which differs from that of the original.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it is offered as.
    pub platform_type: PlatformType,
    /// The original, which stays unchanged.
    pub copied_from: String,
}

impl Library {
    /// Copies an image of any account to the platform, where everyone sees it. Copies no data. Keeps the name of the image
    /// unless another is given.
    pub async fn promote_image(
        &self,
        id: &str,
        platform_type: PlatformType,
        name: Option<&str>,
    ) -> Result<PlatformImage, PlatformError> {
        check_image_name(name)?;
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
            CopyImage::AlreadyCopied(_) => unreachable!("the copy has no request id"),
            CopyImage::Copied(name) => {
                Ok(PlatformImage { id: copy_id, name, platform_type, copied_from: id.to_owned() })
            }
            CopyImage::NotFound => Err(PlatformError::NoImage(id.to_owned())),
            CopyImage::NotAvailable => Err(PlatformError::ImageNotWhole(id.to_owned())),
            CopyImage::NameTaken => Err(PlatformError::PlatformNameTaken(id.to_owned())),
            CopyImage::OverLimit(over) => Err(AccountFull(over).into()),
        }
    }

    /// Removes an image from the platform. The original and instances started from the copy stay.
    pub async fn demote_image(&self, id: &str) -> Result<(), PlatformError> {
        if self.catalog.delete_image(Scope::platform(), id, self.clock.now()).await? == DeleteImage::Deleted {
            Ok(())
        } else {
            Err(PlatformError::NoPlatformImage(id.to_owned()))
        }
    }
}
