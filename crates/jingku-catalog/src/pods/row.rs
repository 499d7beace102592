use crate::database::{Cell, FromCell, row};
use crate::{AccountId, Catalog, Result};

row! {
    /// What the API keeps of a container that it created.
    pub struct Pod {
        /// The id of the instance.
        pub id: String = "p.instance_id",
        /// Its account.
        pub account: AccountId = "p.account_id",
        /// Its state while no operation runs.
        pub state: PodState = "p.state",
        /// The operation that runs. Another one has to wait.
        pub operation: Option<Operation> = "p.operation",
        /// What the operation was asked to do, as JSON that the catalogue does not interpret.
        pub options: String = "p.options",
        /// When the operation began, or the state if none runs.
        pub since: i64 = "p.since",
        /// Why the last operation failed, for the owner; empty if it did not.
        pub failed_reason: String = "p.failed_reason",
        /// The owner's remark.
        pub remark: String = "p.remark",
        /// The password of root, sealed with the master key.
        pub password: String = "p.password",
        /// Whether the password is yet to be set in the container.
        pub password_pending: bool = "p.password_pending",
        /// CPU cores.
        pub cpu: i64 = "p.cpu",
        /// MB of memory.
        pub memory_mb: i64 = "p.memory_mb",
        /// Number of GPUs.
        pub gpus: i64 = "p.gpus",
        /// The names of its GPUs in the engine.
        pub devices: Vec<String> = "p.devices",
        /// The tier of a start without GPUs, `A` or `B`; empty for a start with them.
        pub without_gpu: String = "p.without_gpu",
        /// GB of its boot disk, as requested.
        pub disk_gb: i64 = "p.disk_gb",
        /// How it is charged.
        pub charge_type: String = "p.charge_type",
        /// When it is to be stopped; 0 for never.
        pub stop_at: i64 = "p.stop_at",
        /// When it was last started; 0 for never.
        pub started_at: i64 = "p.started_at",
        /// When it last stopped; 0 for never.
        pub stopped_at: i64 = "p.stopped_at",
        /// The image of the engine that was loaded for it; empty if none was.
        pub loaded_image: String = "p.loaded_image",
    }
}

/// The state of a pod while no operation runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PodState {
    /// Its container runs.
    Running,
    /// Its container does not run.
    Stopped,
    /// It could not be created or reinstalled, or lost its container.
    InstallFail,
}

/// What is done to a pod. A row names at most one.
///
/// | operation | shown as | allowed in | ends in | fails in |
/// |---|---|---|---|---|
/// | `Create` | `Initializing` | – | `Running` | `Install Fail` |
/// | `Start` | `Starting` | `Stopped` | `Running` | `Stopped` |
/// | `Stop` | `Stopping` | `Running`, `Install Fail`, also instead of a `Create` or `Reinstall` | `Stopped` | the state before |
/// | `Reboot` | `Rebooting` | `Running` | `Running` | the state of the container |
/// | `Reinstall` | `Initializing` | `Stopped` | `Running` | `Install Fail` |
/// | `Resize` | `Resizing` | `Stopped` | `Stopped` | `Stopped` |
/// | `Terminate` | not shown | `Stopped`, `Install Fail` | – | repeated until it succeeds |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Its container is created from an image and started.
    Create,
    /// Its container is started.
    Start,
    /// Its container is stopped.
    Stop,
    /// Its container is stopped and started.
    Reboot,
    /// Its container is replaced by one from an image.
    Reinstall,
    /// The limits of its container change.
    Resize,
    /// Its container is removed. The instance is gone.
    Terminate,
}

impl PodState {
    /// Returns the word used in the API and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "Running",
            Self::Stopped => "Stopped",
            // With a blank, as clients compare it.
            Self::InstallFail => "Install Fail",
        }
    }
}

impl Operation {
    const ALL: [Self; 7] =
        [Self::Create, Self::Start, Self::Stop, Self::Reboot, Self::Reinstall, Self::Resize, Self::Terminate];

    /// Returns the word used in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Reboot => "reboot",
            Self::Reinstall => "reinstall",
            Self::Resize => "resize",
            Self::Terminate => "terminate",
        }
    }
}

impl FromCell for PodState {
    fn from_cell(cell: Cell) -> std::result::Result<Self, String> {
        let word = String::from_cell(cell)?;
        [Self::Running, Self::Stopped, Self::InstallFail]
            .into_iter()
            .find(|state| state.as_str() == word)
            .ok_or_else(|| format!("is {word:?}"))
    }
}

impl FromCell for Operation {
    fn from_cell(cell: Cell) -> std::result::Result<Self, String> {
        let word = String::from_cell(cell)?;
        Self::ALL
            .into_iter()
            .find(|operation| operation.as_str() == word)
            .ok_or_else(|| format!("is {word:?}"))
    }
}

impl Catalog {
    /// Returns a pod, terminated or not.
    pub async fn pod(&self, id: &str) -> Result<Option<Pod>> {
        let sql = format!("SELECT {} FROM pods p WHERE p.instance_id = $1", Pod::COLUMNS);
        self.database.query(&sql, &[id.into()]).await?.first("pods")
    }

    /// Lists the pods of this server with an operation, the earliest first.
    pub async fn busy_pods(&self) -> Result<Vec<Pod>> {
        let sql = format!(
            "SELECT {} FROM pods p WHERE p.operation IS NOT NULL AND p.host = $1 ORDER BY p.since, p.instance_id",
            Pod::COLUMNS
        );
        self.database.scan(AccountId::PLATFORM, &sql, &[(&*self.host).into()]).await?.all("pods")
    }

    /// Lists the pods of this server that are to be stopped by `now`, whether they run or not.
    pub async fn due_pods(&self, now: i64) -> Result<Vec<Pod>> {
        let sql = format!(
            "SELECT {} FROM pods p WHERE p.stop_at > 0 AND p.stop_at <= $1 AND p.host = $2
             ORDER BY p.stop_at, p.instance_id",
            Pod::COLUMNS
        );
        self.database.scan(AccountId::PLATFORM, &sql, &[now.into(), (&*self.host).into()]).await?.all("pods")
    }

    /// Returns the names of the GPUs that pods of this server use, because they run or are about to.
    pub async fn used_devices(&self) -> Result<Vec<String>> {
        let params = ["".into(), (&*self.host).into()];
        let rows = self.database.scan(AccountId::PLATFORM, USED_DEVICES, &params).await?;
        Ok(rows.all::<(String, Vec<String>)>("pods")?.into_iter().flat_map(|(_, devices)| devices).collect())
    }

    /// Tells whether a pod of this server other than `id` needs an image of the engine.
    pub async fn is_image_loaded_for_others(&self, image: &str, id: &str) -> Result<bool> {
        let sql = "SELECT instance_id FROM pods WHERE loaded_image = $1 AND instance_id <> $2 AND host = $3 LIMIT 1";
        let params = [image.into(), id.into(), (&*self.host).into()];
        Ok(!self.database.query(sql, &params).await?.is_empty())
    }
}

/// Selects the GPUs of the pods of the server `$2` other than `$1` that use them.
pub(super) const USED_DEVICES: &str = "SELECT instance_id, devices FROM pods
     WHERE instance_id <> $1 AND host = $2 AND devices <> '[]' AND without_gpu = ''
       AND (state = 'Running' OR operation IN ('create', 'start', 'reboot', 'reinstall'))";
