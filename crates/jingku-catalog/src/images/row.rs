use crate::AccountId;
use crate::database::{Cells, Read};

/// An image: what is known about it, not its bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Its id, unique in the catalogue.
    pub id: String,
    /// Whose it is.
    pub account: AccountId,
    /// The name of that account.
    pub owner_name: String,
    /// What a person calls it. Unique among the images of the account that are not in the trash and not
    /// [`ImageStatus::UnAvailable`].
    pub name: String,
    /// How far it is.
    pub status: ImageStatus,
    /// One paragraph for a reader.
    pub description: String,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// The id of its cover, or nothing.
    pub cover: String,
    /// Who can see it: 0 its owner, 1 everybody.
    pub visibility: i64,
    /// What its use costs, in 1/100 CNY an hour.
    pub price_cents: i64,
    /// Whether its software starts with the machine.
    pub auto_start: bool,
    /// What is installed, as a JSON object; `None` when nobody said.
    pub softwares: Option<String>,
    /// The GPUs it is recommended for.
    pub supported_gpu_types: Vec<String>,
    /// The ports of its software, as a JSON list.
    pub software_ports: String,
    /// The ports to open.
    pub firewall_ports: Vec<i64>,
    /// How long it was used.
    pub image_use_time_hours: i64,
    /// How many instances were created from it.
    pub created_count: i64,
    /// How many people marked it.
    pub favorites_count: i64,
    /// Why it could not be made, or was refused in review; else nothing.
    pub failed_reason: String,
    /// When it was asked for.
    pub create_time: i64,
    /// When one of these facts changed last.
    pub update_time: i64,
    /// When it was published, or 0.
    pub pub_time: i64,
    /// The group of published versions it belongs to, or nothing.
    pub group_id: String,
    /// What its publisher calls this version.
    pub version_name: String,
    /// What is new in this version.
    pub version_desc: String,
    /// The kind of GPU of the instance it was made from.
    pub source_gpu_type: String,
    /// The region it is held in.
    pub region: String,
    /// The zone it is held in.
    pub zone: String,
    /// The instance it was made from, which may be gone; nothing when it was uploaded.
    pub source_instance_id: String,
    /// How large it is when unpacked; while it is made, how large it can become.
    pub size_bytes: i64,
    /// The name of its manifest, once it is made.
    pub manifest: Option<String>,
    /// Whether it was made from a container, not from a disk.
    pub container: bool,
    /// `System`, `App`, `Game` or `Other` when it is the platform's, or nothing.
    pub platform_type: String,
    /// Its number among the images that its account has had, from 1: of two, the later created has the higher one.
    pub seq: i64,
    /// The same among those of all accounts, with gaps.
    pub ordinal: i64,
    /// A page for a reader; empty where it was not asked for.
    pub readme: String,
}

/// How far an image is.
///
/// | from | to | by |
/// |---|---|---|
/// | – | `Making` | `create_image`, `start_upload` |
/// | `Making` | `Available` | `complete_job` |
/// | `Making` | `UnAvailable` | `fail_job`, `fail_upload`, or a job that was started too often |
/// | `Available`, `Offline` | `Reviewing`, or at once the next | `publish_image`, `update_image` |
/// | `Reviewing` | `Available` and public | `approve_image` |
/// | `Reviewing` | `Offline`, with a reason | `refuse_image` |
/// | `Available` and public, `Reviewing` | `Offline` | `update_image` |
///
/// Nothing leads out of `UnAvailable`. An image is public while [`Image::visibility`] is 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageStatus {
    /// A job makes it, or will, perhaps once the file it is made of has come.
    Making,
    /// All its bits are here.
    Available,
    /// It could not be made. It stays to be looked at and holds no name.
    UnAvailable,
    /// It waits to be published.
    Reviewing,
    /// It was refused or taken down: private again, with all its bits.
    Offline,
}

impl ImageStatus {
    /// The word of the API, which is also the word in the database.
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

/// The columns of an image but for the readme, from `images AS i` and `accounts AS a`.
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
        account: AccountId(cells.integer()?),
        owner_name: cells.text()?,
        name: cells.text()?,
        status: cells.word(ImageStatus::parse)?,
        description: cells.text()?,
        tags: cells.list()?,
        cover: cells.text()?,
        visibility: cells.integer()?,
        price_cents: cells.integer()?,
        auto_start: cells.integer()? != 0,
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
        container: cells.integer()? != 0,
        platform_type: cells.text()?,
        seq: cells.integer()?,
        ordinal: cells.integer()?,
        readme: cells.text()?,
    })
}
