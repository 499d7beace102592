//! Makes an image of a container: reads its files from the engine, filters them and stores them as one layer. Blocks.

use std::io::{self, Read};
use std::sync::Arc;

use jingku_chunks::{Store, Written};
use jingku_engine::{Container, Engine, EngineError, Export};
use jingku_protocol::{SoftwarePort, Softwares};
use jingku_sources::oci::{LayerReader, OciImage, RunConfig};
use jingku_sources::tree::{BadPattern, Filter, Report, Rules};
use tokio::runtime::Handle;

use super::make::{MakeError, no_space};
use super::progress::Progress;
use crate::disk_space::DiskSpace;
use crate::failpoint;
use crate::library::Library;
use crate::limits::DISK_BYTES_MAX;

/// The file in a container that names what to leave out.
const IGNORE_FILE: &str = "/.jingkuignore";
/// The longest such file, in bytes.
const IGNORE_FILE_BYTES_MAX: u64 = 64 << 10;

/// Environment variables that engines set for one container only.
const OWN_VARIABLES: &[&str] = &["HOSTNAME", "container"];

/// A container to make an image of.
pub(super) struct Saving {
    pub(super) engine: Engine,
    pub(super) container: Container,
    pub(super) instance_id: String,
    pub(super) image_id: String,
    pub(super) options: SaveOptions,
}

/// What the caller wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct SaveOptions {
    /// Pause the container while its files are read.
    pub pause: bool,
    /// Leave out files that look like secrets.
    pub without_secrets: bool,
}

/// What only the image of a container has.
#[derive(Debug)]
pub(super) struct Saved {
    pub(super) oci: OciImage,
    pub(super) report: Report,
    pub(super) software_ports: Vec<SoftwarePort>,
}

impl Saved {
    /// The software that was found; `None` if there was none.
    pub(super) fn softwares(&self) -> Option<Softwares> {
        let found = &self.report.software;
        let softwares = Softwares {
            framework: found.framework.clone(),
            framework_version: found.framework_version.clone(),
            cuda_version: found.cuda_version.clone(),
            python_version: found.python_version.clone(),
            os_version: found.os_version.clone(),
            ..Softwares::default()
        };
        Some(softwares).filter(|softwares| *softwares != Softwares::default())
    }
}

/// Makes the image of a container.
pub(super) fn make(
    library: &Library,
    saving: &Saving,
    progress: &Arc<Progress>,
) -> Result<(Written, Saved), MakeError> {
    let rules = rules(library, saving)?;
    let run: RunConfig = serde_json::from_value(saving.container.config.clone())
        .map_err(|error| MakeError::Engine(EngineError::Failed(error.to_string())))?;
    progress.set_total(saving.container.size_bytes.unwrap_or(0));
    let paused = Paused::begin(library, saving)?;
    let export = Watched {
        export: saving.engine.export(&saving.container.id),
        progress: Arc::clone(progress),
        disk_space: library.disk_space.clone(),
        read: 0,
    };
    let refetch = {
        let (engine, id) = (saving.engine.clone(), saving.container.id.clone());
        let runtime = Handle::current();
        Box::new(move |path: &[u8]| {
            let path = std::str::from_utf8(path).map_err(|_| io::Error::other("the path of a file is not UTF-8"))?;
            let _runtime = runtime.enter();
            Ok(Box::new(engine.export_file(&id, &format!("/{path}"))) as Box<dyn Read + Send>)
        })
    };
    let mut layer = LayerReader::new(Filter::new(export, rules, refetch));
    let sealed = library.store.write_stream(&mut layer)?;
    failpoint::reached("save.read");
    drop(paused);
    failpoint::reached("save.chunks_durable");
    let written = sealed.write_manifest()?;
    failpoint::reached("save.manifest_durable");
    let (layer, filter) = layer.finish();
    progress.set_total(layer.size);
    progress.reach(layer.size);
    let run = without_own_variables(run);
    let created = jiff::Timestamp::from_second(library.clock.now()).unwrap_or_default().to_string();
    let software_ports = run.exposed_ports.iter().filter_map(|port| software_port(port)).collect();
    Ok((written, Saved { oci: OciImage::new(layer, &run, &created), report: filter.report(), software_ports }))
}

fn rules(library: &Library, saving: &Saving) -> Result<Rules, MakeError> {
    let mut rules = Rules::default();
    let bad_pattern = |error: BadPattern| MakeError::Pattern(error.to_string());
    rules.ignore(library.config.containers.ignore.join("\n").as_bytes()).map_err(bad_pattern)?;
    if let Some(patterns) = ignore_file(saving)? {
        rules.ignore(&patterns).map_err(bad_pattern)?;
    }
    saving.container.mounts.iter().for_each(|mount| rules.mounted(mount));
    if saving.options.without_secrets {
        rules.without_secrets();
    }
    Ok(rules)
}

/// Reads `.jingkuignore` of the container; `None` without one.
fn ignore_file(saving: &Saving) -> Result<Option<Vec<u8>>, MakeError> {
    let _runtime = Handle::current().enter();
    let export = saving.engine.export_file(&saving.container.id, IGNORE_FILE);
    match jingku_sources::tree::read_one_file(export, IGNORE_FILE_BYTES_MAX) {
        Ok(content) => Ok(content),
        Err(error) => match engine_error(error) {
            Ok(EngineError::NotFound(_)) => Ok(None),
            Ok(error) => Err(MakeError::Engine(error)),
            Err(error) => Err(MakeError::Pattern(error.to_string())),
        },
    }
}

/// The archive of the container, with the progress of its job.
struct Watched {
    export: Export,
    progress: Arc<Progress>,
    disk_space: Option<DiskSpace>,
    read: u64,
}

impl Read for Watched {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.progress.reach(self.read);
        if let Some(stop) = self.progress.stopped() {
            return Err(io::Error::other(MakeError::Stopped(stop)));
        }
        if self.disk_space.as_ref().is_some_and(DiskSpace::is_full) {
            return Err(io::Error::other(no_space("make an image")));
        }
        failpoint::reached("save.piece");
        let read = self.export.read(buf)?;
        self.read += read as u64;
        if i64::try_from(self.read).is_ok_and(|read| read <= DISK_BYTES_MAX) {
            return Ok(read);
        }
        Err(io::Error::other(MakeError::TooLarge))
    }
}

/// A container that is paused, if that is wanted, and resumed when this is dropped.
struct Paused<'a>(Option<(&'a Library, &'a Saving)>);

impl<'a> Paused<'a> {
    fn begin(library: &'a Library, saving: &'a Saving) -> Result<Self, MakeError> {
        let is_running = saving.container.state == jingku_engine::State::Running;
        if !is_running || !saving.options.pause {
            return Ok(Self(None));
        }
        // Recorded first: after a crash, somebody must resume it.
        let runtime = Handle::current();
        runtime.block_on(library.catalog.set_paused_for(&saving.instance_id, &saving.image_id))?;
        let paused = Self(Some((library, saving)));
        runtime.block_on(saving.engine.pause(&saving.container.id)).map_err(MakeError::Engine)?;
        failpoint::reached("save.paused");
        Ok(paused)
    }
}

impl Drop for Paused<'_> {
    fn drop(&mut self) {
        let Some((library, saving)) = self.0 else { return };
        let resumed = library.resume(&saving.engine, &saving.container.id, &saving.instance_id);
        if let Err(error) = Handle::current().block_on(resumed) {
            let instance_id = &saving.instance_id;
            // The next look at the engine tries again.
            tracing::error!(instance_id, error = &error as &dyn std::error::Error, "cannot resume a container");
        }
    }
}

/// Drops variables that describe one container, or the GPUs that it was given.
fn without_own_variables(mut run: RunConfig) -> RunConfig {
    run.env.retain(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let names_gpus = name == "NVIDIA_VISIBLE_DEVICES" && (value.starts_with("GPU-") || value.starts_with("MIG-"));
        !OWN_VARIABLES.contains(&name) && !names_gpus
    });
    run.labels.retain(|name, _| !name.starts_with("jingku."));
    run
}

/// A port such as `8888/tcp` as an image lists it.
fn software_port(port: &str) -> Option<SoftwarePort> {
    let port = port.strip_suffix("/tcp").unwrap_or(port).parse().ok()?;
    Some(SoftwarePort { software: String::new(), port })
}

/// The error of the engine in an error of reading.
pub(super) fn engine_error(error: io::Error) -> Result<EngineError, io::Error> {
    error.downcast::<EngineError>()
}
