//! Images of the platform, which everyone sees.

use jingku_catalog::{AccountId, CopyImage, DeleteImage, NewCopy, Scope};
use jingku_protocol::PlatformType;

use crate::audit::Change;
use crate::error::{LibraryError, check_image_name};
use crate::library::Library;
use crate::random::image_id;

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
    ) -> Result<PlatformImage, LibraryError> {
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
        let change = Change::command("image promote", AccountId::PLATFORM, id);
        let promote = self.catalog.copy_image(Scope::everybody(), id, copy, self.clock.now());
        match self.audited(change, promote).await? {
            CopyImage::AlreadyCopied(_) => unreachable!("the copy has no request id"),
            CopyImage::Copied(name) => {
                Ok(PlatformImage { id: copy_id, name, platform_type, copied_from: id.to_owned() })
            }
            CopyImage::NotFound => Err(LibraryError::NoImage(id.to_owned())),
            CopyImage::NotAvailable => Err(LibraryError::ImageNotWhole(id.to_owned())),
            CopyImage::NameTaken => Err(LibraryError::PlatformNameTaken(id.to_owned())),
            CopyImage::OverLimit(over) => Err(LibraryError::AccountFull(over)),
        }
    }

    /// Removes an image from the platform. The original and instances started from the copy stay.
    pub async fn demote_image(&self, id: &str) -> Result<(), LibraryError> {
        let demote = self.catalog.delete_image(Scope::platform(), id, self.clock.now());
        let change = Change::command("image demote", AccountId::PLATFORM, id);
        let deleted = self.audited(change, demote).await?;
        let found = deleted == DeleteImage::Deleted;
        if found { Ok(()) } else { Err(LibraryError::NoPlatformImage(id.to_owned())) }
    }
}
