//! Instances that images are made of.

use std::path::Path;

use jingku_catalog::{AccountId, AddInstance, Instance, InstanceFilter, Paging, RemoveInstance};
use jingku_sources::content::Caution;
use jingku_sources::{Disk, DiskFormat};

use crate::audit::Change;
use crate::config::{DeclaredInstance, Zone};
use crate::error::{Internal, LibraryError};
use crate::jobs::DeclaredDisk;
use crate::library::Library;

/// The longest instance id, in bytes.
const INSTANCE_ID_MAX: usize = 64;
const BATCH: u32 = 1000;

/// An instance to declare.
#[derive(Clone, Copy, Debug)]
pub struct NewInstance<'a> {
    /// Its id.
    pub id: &'a str,
    /// Its name; the id when absent.
    pub name: Option<&'a str>,
    /// Its account.
    pub account: i64,
    /// Its zone; the default zone if absent.
    pub zone: Option<&'a str>,
    /// Its disk.
    pub disk: &'a Path,
    /// The format of the disk; detected from the content if absent.
    pub format: Option<DiskFormat>,
    /// Its GPU model.
    pub gpu_type: &'a str,
}

struct Checked<'a> {
    new: NewInstance<'a>,
    account: AccountId,
    zone: &'a Zone,
    disk: String,
    size_bytes: i64,
    caution: Option<Caution>,
}

impl Checked<'_> {
    fn row(&self) -> jingku_catalog::NewInstance<'_> {
        jingku_catalog::NewInstance {
            id: self.new.id,
            account: self.account,
            name: self.new.name.unwrap_or(self.new.id),
            region: &self.zone.region,
            zone: &self.zone.zone,
            disk: &self.disk,
            size_bytes: self.size_bytes,
            gpu_type: self.new.gpu_type,
            container: None,
        }
    }

    /// Whether an existing instance has the same declaration.
    fn is(&self, known: &Instance) -> bool {
        let row = self.row();
        let place = (row.account, row.region, row.zone) == (known.account, &*known.region, &*known.zone);
        let disk = (row.disk, row.size_bytes) == (&*known.disk, known.size_bytes);
        place && disk && (row.name, row.gpu_type) == (&*known.name, &*known.gpu_type)
    }
}

pub(crate) fn check_instance_id(id: &str) -> Result<(), LibraryError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if (1..=INSTANCE_ID_MAX).contains(&id.len()) && id.bytes().all(allowed) {
        return Ok(());
    }
    Err(LibraryError::BadInstanceId(id.to_owned()))
}

/// Pins the files of a disk, and inspects its content unless it was declared raw.
async fn inspect(path: &Path, format: Option<DiskFormat>) -> Result<DeclaredDisk, LibraryError> {
    let path = path.to_owned();
    let inspecting = tokio::task::spawn_blocking(move || {
        let disk = Disk::inspect(&path, format)?;
        let caution = if format == Some(DiskFormat::Raw) { None } else { disk.caution()? };
        Ok(DeclaredDisk { disk, fails: None, caution })
    });
    inspecting.await.map_err(Internal::Task)?
}

/// The warning about the disk of an instance from the time of its declaration.
pub fn caution_of(instance: &Instance) -> Option<Caution> {
    serde_json::from_str::<DeclaredDisk>(&instance.disk).ok()?.caution
}

impl Library {
    /// The zone of this name, or the default one.
    pub(crate) fn zone(&self, zone: Option<&str>) -> Result<&Zone, LibraryError> {
        let found = match zone {
            None => self.zones.iter().next(),
            Some(name) => self.zones.find(name),
        };
        found.ok_or_else(|| LibraryError::NoZone {
            given: zone.unwrap_or_default().to_owned(),
            known: self.zones.iter().map(|zone| zone.zone.as_str()).collect::<Vec<_>>().join(", "),
        })
    }

    /// Declares an instance. Inspects its disk and pins the files: see `jingku_sources::Disk`.
    pub async fn add_instance(&self, new: NewInstance<'_>) -> Result<Instance, LibraryError> {
        let checked = self.check_instance(new).await?;
        self.insert_instance(&checked, None).await
    }

    /// Declares an instance that was started from an image that its account can see. Counts as use of the image.
    pub async fn add_instance_from(
        &self,
        new: NewInstance<'_>,
        image_id: &str,
    ) -> Result<Instance, LibraryError> {
        let checked = self.check_instance(new).await?;
        self.insert_instance(&checked, Some(image_id)).await
    }

    /// Declares the instances of a configuration file and updates those that differ. An instance with a running job is
    /// updated at the next start.
    pub async fn declare_instances(&self, declared: &[DeclaredInstance]) -> Result<(), LibraryError> {
        for instance in declared {
            let new = NewInstance {
                id: &instance.id,
                name: instance.name.as_deref(),
                account: instance.account,
                zone: instance.zone.as_deref(),
                disk: &instance.disk,
                format: instance.format,
                gpu_type: &instance.gpu_type,
            };
            // Checked before the old declaration is removed.
            let checked = self.check_instance(new).await?;
            if let Some(caution) = &checked.caution {
                tracing::warn!(instance_id = new.id, %caution, "the disk of an instance has no known content");
            }
            if let Some(known) = self.catalog.instance(None, new.id).await? {
                if known.host != self.host_name() {
                    let why = "an instance of another server has this ID: remove it there first";
                    tracing::warn!(instance_id = new.id, host = known.host, "{why}");
                    continue;
                }
                if checked.is(&known) {
                    continue;
                }
                if self.catalog.remove_instance(new.id, self.clock.now()).await? == RemoveInstance::Busy {
                    let why = "an image of the instance is being made: updated at the next start";
                    tracing::warn!(instance_id = new.id, "{why}");
                    continue;
                }
            }
            self.insert_instance(&checked, None).await?;
        }
        Ok(())
    }

    /// All instances, newest first.
    pub async fn instances(&self) -> Result<Vec<Instance>, LibraryError> {
        let mut all = Vec::new();
        let mut page = self.catalog.instances_page(InstanceFilter::default(), Paging::first(BATCH)).await?;
        loop {
            all.append(&mut page.items);
            let Some(cursor) = &page.next else { return Ok(all) };
            let next = Paging::After { cursor, limit: BATCH };
            page = self.catalog.instances_page(InstanceFilter::default(), next).await?;
        }
    }

    /// Removes an instance. Its disk and its images stay.
    pub async fn remove_instance(&self, id: &str) -> Result<(), LibraryError> {
        let owner = self.catalog.instance(None, id).await?.map_or(AccountId::PLATFORM, |row| row.account);
        let remove = self.catalog.remove_instance(id, self.clock.now());
        match self.audited(Change::command("instance remove", owner, id), remove).await? {
            RemoveInstance::Removed => Ok(()),
            RemoveInstance::NotFound => Err(LibraryError::NoInstance(id.to_owned())),
            RemoveInstance::Busy => Err(LibraryError::InstanceBusy(id.to_owned())),
        }
    }

    async fn check_instance<'a>(&'a self, new: NewInstance<'a>) -> Result<Checked<'a>, LibraryError> {
        check_instance_id(new.id)?;
        let zone = self.zone(new.zone)?;
        let account = self.require_account(new.account).await?.id;
        let declared = inspect(new.disk, new.format).await?;
        let disk = serde_json::to_string(&declared).expect("a disk serialises: its paths are UTF-8");
        let size_bytes = i64::try_from(declared.disk.size_bytes);
        let size_bytes = size_bytes.expect("a disk is far smaller than 2^63 bytes");
        Ok(Checked { new, account, zone, disk, size_bytes, caution: declared.caution })
    }

    async fn insert_instance(
        &self,
        checked: &Checked<'_>,
        image_id: Option<&str>,
    ) -> Result<Instance, LibraryError> {
        let (id, now) = (checked.new.id, self.clock.now());
        let add = self.catalog.add_instance(checked.row(), image_id, now);
        let added = self.audited(Change::command("instance add", checked.account, id), add).await?;
        let image_id = || image_id.unwrap_or_default().to_owned();
        match added {
            AddInstance::ImageNotFound => Err(LibraryError::NoImageToStart(image_id(), checked.account.0)),
            AddInstance::ImageNotAvailable => Err(LibraryError::NothingToStart(image_id())),
            AddInstance::Exists => Err(LibraryError::InstanceExists(id.to_owned())),
            AddInstance::Added => {
                let added = self.catalog.instance(None, id).await?;
                added.ok_or_else(|| LibraryError::NoInstance(id.to_owned()))
            }
        }
    }
}
