use serde::{Deserialize, Serialize};

use crate::database::{Cell, FromCell};

/// What happened to an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ImageEvent {
    /// It was made, imported or copied.
    Available,
    /// It could not be made.
    Failed,
    /// It was moved to the trash.
    Deleted,
    /// It was restored from the trash.
    Restored,
    /// It is public.
    Published,
    /// It was shared with other accounts.
    Shared,
}

impl ImageEvent {
    /// Every event.
    pub const ALL: [Self; 6] =
        [Self::Available, Self::Failed, Self::Deleted, Self::Restored, Self::Published, Self::Shared];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::Failed => "failed",
            Self::Deleted => "deleted",
            Self::Restored => "restored",
            Self::Published => "published",
            Self::Shared => "shared",
        }
    }

    /// The event of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.name() == name)
    }
}

impl FromCell for ImageEvent {
    fn from_cell(cell: Cell) -> std::result::Result<Self, String> {
        Self::from_name(&String::from_cell(cell)?).ok_or_else(|| "is not an event".to_owned())
    }
}
