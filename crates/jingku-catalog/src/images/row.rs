use crate::AccountId;
use crate::database::{Cells, Read};

/// The metadata of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Its id, unique in the catalogue.
    pub id: String,
    /// The account it belongs to.
    pub account: AccountId,
    /// The name of that account.
    pub owner_name: String,
    /// Its name, unique among the account's images that are neither in the trash nor [`ImageStatus::UnAvailable`].
    pub name: String,
    /// Its status.
    pub status: ImageStatus,
    /// Its description, one paragraph.
    pub description: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// The id of its cover, or empty.
    pub cover: String,
    /// Who can see it: 0 its owner, 1 everybody.
    pub visibility: i64,
    /// The price of its use, in 1/100 CNY per hour.
    pub price_cents: i64,
    /// Whether its software starts with the machine.
    pub auto_start: bool,
    /// The installed software, as a JSON object, if known.
    pub softwares: Option<String>,
    /// The GPUs it is recommended for.
    pub supported_gpu_types: Vec<String>,
    /// The ports of its software, as a JSON list.
    pub software_ports: String,
    /// The ports to open.
    pub firewall_ports: Vec<i64>,
    /// How many hours it was used.
    pub image_use_time_hours: i64,
    /// How many instances were created from it.
    pub created_count: i64,
    /// How many accounts marked it as a favourite.
    pub favorites_count: i64,
    /// Why it could not be made, or was rejected in review; else empty.
    pub failed_reason: String,
    /// When it was created.
    pub create_time: i64,
    /// When it was last changed.
    pub update_time: i64,
    /// When it was published, or 0.
    pub pub_time: i64,
    /// The community group it belongs to, or empty.
    pub group_id: String,
    /// Its version name in the group.
    pub version_name: String,
    /// The changes in this version.
    pub version_desc: String,
    /// The GPU type of the instance it was made from.
    pub source_gpu_type: String,
    /// The region it is stored in.
    pub region: String,
    /// The zone it is stored in.
    pub zone: String,
    /// The instance it was made from, perhaps removed since; empty if it was uploaded.
    pub source_instance_id: String,
    /// Its unpacked size; while it is being made, its maximum size.
    pub size_bytes: i64,
    /// The name of its manifest, once made.
    pub manifest: Option<String>,
    /// Whether it was made from a container instead of a disk.
    pub container: bool,
    /// `System`, `App`, `Game` or `Other` for a platform image, else empty.
    pub platform_type: String,
    /// Its number among all images its account ever had, from 1 in order of creation.
    pub seq: i64,
    /// Its number among those of all accounts, with gaps.
    pub ordinal: i64,
    /// Its readme; empty if not requested.
    pub readme: String,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

    pub(crate) fn parse(word: &str) -> Option<Self> {
        [Self::Making, Self::Available, Self::UnAvailable, Self::Reviewing, Self::Offline]
            .into_iter()
            .find(|status| status.as_str() == word)
    }
}

/// The columns of an image except the readme, from `images AS i` and `accounts AS a`.
pub(crate) const COLUMNS: &str = "i.id, i.account_id, a.name, i.name, i.status, i.description, i.tags, i.cover, \
     i.visibility, i.price_cents, i.auto_start, i.softwares, i.supported_gpu_types, i.software_ports, \
     i.firewall_ports, i.image_use_time_hours, i.created_count, i.favorites_count, i.failed_reason, \
     i.create_time, i.update_time, i.pub_time, i.group_id, i.version_name, i.version_desc, \
     i.source_gpu_type, i.region, i.zone, i.source_instance_id, i.size_bytes, i.manifest, \
     i.container, i.platform_type, i.seq, i.ordinal";

/// Reads [`COLUMNS`] and the readme.
pub(crate) fn image_cells(cells: &mut Cells) -> Read<Image> {
    Ok(Image {
        id: cells.text()?,
        account: cells.account()?,
        owner_name: cells.text()?,
        name: cells.text()?,
        status: cells.word(ImageStatus::parse)?,
        description: cells.text()?,
        tags: cells.list()?,
        cover: cells.text()?,
        visibility: cells.integer()?,
        price_cents: cells.integer()?,
        auto_start: cells.flag()?,
        softwares: cells.optional_text()?,
        supported_gpu_types: cells.list()?,
        software_ports: cells.text()?,
        firewall_ports: cells.list()?,
        image_use_time_hours: cells.integer()?,
        created_count: cells.integer()?,
        favorites_count: cells.integer()?,
        failed_reason: cells.text()?,
        create_time: cells.integer()?,
        update_time: cells.integer()?,
        pub_time: cells.integer()?,
        group_id: cells.text()?,
        version_name: cells.text()?,
        version_desc: cells.text()?,
        source_gpu_type: cells.text()?,
        region: cells.text()?,
        zone: cells.text()?,
        source_instance_id: cells.text()?,
        size_bytes: cells.integer()?,
        manifest: cells.optional_text()?,
        container: cells.flag()?,
        platform_type: cells.text()?,
        seq: cells.integer()?,
        ordinal: cells.integer()?,
        readme: cells.text()?,
    })
}
