use serde::Deserialize;

use crate::AccountId;
use crate::database::{Cell, FromCell, row};

/// Assigns `images.changed`, in every statement that changes what lists show of an image: the revision that its owner's
/// account gets in the same transaction. Account, `seq` and `changed` together identify one content of the row.
pub(crate) const CHANGED: &str =
    "changed = (SELECT revision FROM accounts WHERE accounts.id = images.account_id)";

row! {
    /// The metadata of an image.
    pub struct Image {
        /// Its id, unique in the catalogue.
        pub id: String = "i.id",
        /// The account it belongs to.
        pub account: AccountId = "i.account_id",
        /// The name of that account.
        pub owner_name: String = "a.name",
        /// Its name, unique among the account's images that are neither in the trash nor [`ImageStatus::UnAvailable`].
        pub name: String = "i.name",
        /// Its status.
        pub status: ImageStatus = "i.status",
        /// Its description, one paragraph.
        pub description: String = "i.description",
        /// Its tags.
        pub tags: Vec<String> = "i.tags",
        /// The id of its cover, or empty.
        pub cover: String = "i.cover",
        /// Who can see it: 0 its owner, 1 everybody.
        pub visibility: i64 = "i.visibility",
        /// The price of its use, in 1/100 CNY per hour.
        pub price_cents: i64 = "i.price_cents",
        /// Whether its software starts with the machine.
        pub auto_start: bool = "i.auto_start",
        /// The installed software, as a JSON object, if known.
        pub softwares: Option<String> = "i.softwares",
        /// The GPUs it is recommended for.
        pub supported_gpu_types: Vec<String> = "i.supported_gpu_types",
        /// The ports of its software, as a JSON list.
        pub software_ports: String = "i.software_ports",
        /// The ports to open.
        pub firewall_ports: Vec<i64> = "i.firewall_ports",
        /// How many hours it was used.
        pub image_use_time_hours: i64 = "i.image_use_time_hours",
        /// How many instances were created from it.
        pub created_count: i64 = "i.created_count",
        /// How many accounts marked it as a favourite.
        pub favorites_count: i64 = "i.favorites_count",
        /// Why it could not be made, or was rejected in review; else empty.
        pub failed_reason: String = "i.failed_reason",
        /// When it was created.
        pub create_time: i64 = "i.create_time",
        /// When it was last changed.
        pub update_time: i64 = "i.update_time",
        /// When it was published, or 0.
        pub pub_time: i64 = "i.pub_time",
        /// The community group it belongs to, or empty.
        pub group_id: String = "i.group_id",
        /// Its version name in the group.
        pub version_name: String = "i.version_name",
        /// The changes in this version.
        pub version_desc: String = "i.version_desc",
        /// The GPU type of the instance it was made from.
        pub source_gpu_type: String = "i.source_gpu_type",
        /// The region it is stored in.
        pub region: String = "i.region",
        /// The zone it is stored in.
        pub zone: String = "i.zone",
        /// The instance it was made from, perhaps removed since; empty if it was uploaded.
        pub source_instance_id: String = "i.source_instance_id",
        /// Its unpacked size; while it is being made, its maximum size.
        pub size_bytes: i64 = "i.size_bytes",
        /// The name of its manifest, once made.
        pub manifest: Option<String> = "i.manifest",
        /// Whether it was made from a container instead of a disk.
        pub container: bool = "i.container",
        /// `System`, `App`, `Game` or `Other` for a platform image, else empty.
        pub platform_type: String = "i.platform_type",
        /// Its number among all images its account ever had, from 1 in order of creation.
        pub seq: i64 = "i.seq",
        /// Its number among those of all accounts, with gaps.
        pub ordinal: i64 = "i.ordinal",
        /// Its readme; empty if not requested.
        pub readme: String,
    }
}

/// The status of an image.
///
/// | from | to | by |
/// |---|---|---|
/// | – | `Making` | `create_image`, `start_upload` |
/// | `Making` | `Available` | `complete_job` |
/// | `Making` | `UnAvailable` | `fail_job`, `fail_upload`, or a job with too many attempts |
/// | `Available`, `Offline` | `Reviewing`, or directly the next | `publish_image`, `update_image` |
/// | `Reviewing` | `Available` and public | `approve_image` |
/// | `Reviewing` | `Offline`, with a reason | `refuse_image` |
/// | `Available` and public, `Reviewing` | `Offline` | `update_image` |
///
/// Nothing leads out of `UnAvailable`. An image is public while [`Image::visibility`] is 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum ImageStatus {
    /// It is being made, or waits for its job or upload.
    Making,
    /// Its content is complete.
    Available,
    /// It could not be made. It stays visible and does not reserve its name.
    UnAvailable,
    /// It waits for review.
    Reviewing,
    /// It was rejected in review or unpublished. Its content is complete.
    Offline,
}

impl ImageStatus {
    /// Returns the word used in the API and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Making => "Making",
            Self::Available => "Available",
            Self::UnAvailable => "UnAvailable",
            Self::Reviewing => "Reviewing",
            Self::Offline => "Offline",
        }
    }
}

impl FromCell for ImageStatus {
    fn from_cell(cell: Cell) -> Result<Self, String> {
        let word = String::from_cell(cell)?;
        [Self::Making, Self::Available, Self::UnAvailable, Self::Reviewing, Self::Offline]
            .into_iter()
            .find(|status| status.as_str() == word)
            .ok_or_else(|| format!("is {word:?}"))
    }
}
