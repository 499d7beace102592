//! Makes an image of a container: reads its files from the engine, filters them and stores them as one layer. Blocks.

use std::error::Error;
use std::io::{self, Read};
use std::sync::Arc;
use std::time::Duration;

use jingku_catalog::{Instance, Job};
use jingku_chunks::Written;
use jingku_engine::{Container, Engine, EngineError, State};
use jingku_sources::oci::{LayerReader, OciImage, RunConfig};
use jingku_sources::read_ahead;
use jingku_sources::tree::{BadPattern, Filter, Rules, read_one_file};
use tokio::runtime::Handle;
use tokio::task::JoinSet;

use super::files::Files;
use super::make::{Made, MakeError, no_space};
use super::progress::Progress;
use super::saved::Saved;
use crate::containers::ContainerFacts;
use crate::disk_space::DiskSpace;
use crate::error::Internal;
use crate::failpoint;
use crate::library::Library;
use crate::limits::DISK_BYTES_MAX;
use crate::lock::lock;

/// The file in a container that names what to leave out.
const IGNORE_FILE: &[u8] = b".jingkuignore";
/// The longest such file, in bytes.
const IGNORE_FILE_BYTES_MAX: u64 = 64 << 10;

/// How long a save takes before the bytes of its container are counted. Counting reads every directory.
const COUNT_DELAY: Duration = Duration::from_secs(3);

/// Environment variables that engines set for one container only.
const OWN_VARIABLES: &[&str] = &["HOSTNAME", "container"];

/// A container to make an image of.
pub(super) struct Saving {
    pub(super) engine: Engine,
    pub(super) container: Container,
    pub(super) instance: Instance,
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

/// Makes the image of a container.
pub(super) fn make(library: &Library, saving: &Saving, progress: &Arc<Progress>) -> Result<Made, MakeError> {
    failpoint::passed("make.begun");
    let (engine, container) = (&saving.engine, &saving.container);
    match save(library, saving, progress, &Files::find(library, engine, container)) {
        Err(MakeError::Root(error)) => {
            let (instance_id, error) = (&saving.instance.id, &error as &dyn Error);
            tracing::warn!(
                instance_id,
                error,
                "cannot read the root directory of a container: asking the engine"
            );
            save(library, saving, progress, &Files::of_engine(engine, container))
        }
        made => made,
    }
}

fn save(
    library: &Library,
    saving: &Saving,
    progress: &Arc<Progress>,
    files: &Files,
) -> Result<Made, MakeError> {
    let rules = rules(library, saving, files)?;
    let run: RunConfig = serde_json::from_value(saving.container.config.clone())
        .map_err(|error| MakeError::Engine(EngineError::Failed(error.to_string())))?;
    progress.expect(u64::try_from(saving.instance.size_bytes).unwrap_or(0));
    let mut counting = count(saving, progress);
    // Dropped after all was read, so that all files are of one moment.
    let mut paused = Paused::begin(library, saving)?;
    let archive = {
        let _runtime = Handle::current().enter();
        files.all().map_err(of_reading)?
    };
    let archive = Watched { archive, library, progress, read: 0 };
    let filter = Filter::new(archive, rules, files.refetch());
    let (filter, (layer, made)) = read_ahead(filter, |ahead| {
        let mut layer = LayerReader::new(ahead);
        let made = store(library, &mut layer, progress, |_| {
            failpoint::reached("save.read");
            paused = None;
            counting.abort_all();
        });
        (layer.finish().0, made)
    });
    // Of a container that is removed meanwhile, files may be missing without an error.
    if matches!(made, Ok(_) | Err(MakeError::Tree(_) | MakeError::Root(_))) {
        check_exists(saving)?;
    }
    let made = made?;
    let run = without_own_variables(run);
    let saved = Saved::new(OciImage::new(layer, &run, &created(library)), filter.report(), &run);
    Ok(Made { written: made, saved: Some(saved.read_from(files.as_str())) })
}

/// Fails if the container was removed, or is being removed.
fn check_exists(saving: &Saving) -> Result<(), MakeError> {
    let container = Handle::current().block_on(saving.engine.container(&saving.container.id));
    match container.map_err(MakeError::Engine)?.state {
        State::Removing => Err(MakeError::Engine(EngineError::NotFound("it is being removed".to_owned()))),
        State::Created | State::Running | State::Paused | State::Restarting | State::Stopped => Ok(()),
    }
}

/// Has the engine count the bytes of the container, for the progress of a save that takes a while: they were counted when
/// it was found.
fn count(saving: &Saving, progress: &Arc<Progress>) -> JoinSet<()> {
    let (engine, id, progress) = (saving.engine.clone(), saving.container.id.clone(), Arc::clone(progress));
    let mut counting = JoinSet::new();
    let count = async move {
        tokio::time::sleep(COUNT_DELAY).await;
        // Without an answer, the first count remains.
        if let Ok(Container { size_bytes: Some(bytes), .. }) = engine.counted_container(&id).await {
            progress.expect(bytes);
        }
    };
    counting.spawn_on(count, &Handle::current());
    counting
}

/// Stores the archive of an image as one stream. `read` is called when all of it was read.
pub(super) fn store(
    library: &Library,
    archive: impl Read,
    progress: &Progress,
    read: impl FnOnce(&jingku_chunks::Sealed),
) -> Result<Written, MakeError> {
    let on_known = |bytes| lock(&progress.bytes).present = bytes;
    let sealed =
        library.store.write_stream_beside(archive, &progress.own_manifests, on_known).map_err(of_stream)?;
    read(&sealed);
    failpoint::reached("save.chunks_durable");
    let written = sealed.write_manifest()?;
    failpoint::reached("save.manifest_durable");
    progress.expect(written.logical_bytes);
    progress.reach(written.logical_bytes);
    Ok(written)
}

/// The time in the documents of an image.
pub(super) fn created(library: &Library) -> String {
    jiff::Timestamp::from_second(library.clock.now()).unwrap_or_default().to_string()
}

/// The error of a stream that could not be stored: its source's own, or that of the store.
fn of_stream(error: jingku_chunks::Error) -> MakeError {
    let jingku_chunks::Error::Source(source) = error else { return error.into() };
    match source.downcast::<io::Error>() {
        Ok(error) => of_reading(*error),
        Err(source) => MakeError::Tree(io::Error::other(source)),
    }
}

/// The error of reading files: that of the save, of the engine, or of the files.
pub(super) fn of_reading(error: io::Error) -> MakeError {
    match error.downcast::<MakeError>() {
        Ok(own) => own,
        Err(error) => match error.downcast::<EngineError>() {
            Ok(error) => MakeError::Engine(error),
            Err(error) => MakeError::Tree(error),
        },
    }
}

impl Saving {
    /// Asks the engine about the container of a job.
    pub(super) async fn prepare(
        library: &Library,
        job: &Job,
        instance: Instance,
        facts: &str,
    ) -> Result<Self, MakeError> {
        let options = if job.options.is_empty() { "{}" } else { &job.options };
        let options = serde_json::from_str(options).map_err(|error| bad_row(&error))?;
        Self::find(library, instance, facts, job.image_id.clone(), options).await
    }

    /// Asks the engine about the container of an instance.
    pub(super) async fn find(
        library: &Library,
        instance: Instance,
        facts: &str,
        image_id: String,
        options: SaveOptions,
    ) -> Result<Self, MakeError> {
        let facts: ContainerFacts = serde_json::from_str(facts).map_err(|error| bad_row(&error))?;
        let engine = library.containers.engine().await;
        let engine = engine.unwrap_or_else(|| Err(EngineError::Away("there is none".to_owned())));
        let engine = engine.map_err(MakeError::Engine)?;
        let container = engine.container(&facts.engine_id).await.map_err(MakeError::Engine)?;
        Ok(Self { engine, container, instance, image_id, options })
    }
}

fn bad_row(error: &serde_json::Error) -> MakeError {
    MakeError::Inside(Internal::BadRow(format!("container of an instance: {error}")))
}

/// What of the container is left out.
pub(super) fn rules(library: &Library, saving: &Saving, files: &Files) -> Result<Rules, MakeError> {
    let mut rules = Rules::default();
    let bad_pattern = |error: BadPattern| MakeError::Pattern(error.to_string());
    rules.ignore(library.config.containers.ignore.join("\n").as_bytes()).map_err(bad_pattern)?;
    if let Some(patterns) = ignore_file(files)? {
        rules.ignore(&patterns).map_err(bad_pattern)?;
    }
    saving.container.mounts.iter().for_each(|mount| rules.mounted(mount));
    if saving.options.without_secrets {
        rules.without_secrets();
    }
    Ok(rules)
}

/// Reads `.jingkuignore` of the container; `None` without one.
fn ignore_file(files: &Files) -> Result<Option<Vec<u8>>, MakeError> {
    let _runtime = Handle::current().enter();
    match files.one(IGNORE_FILE).and_then(|archive| read_one_file(archive, IGNORE_FILE_BYTES_MAX)) {
        Ok(content) => Ok(content),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => match of_reading(error) {
            MakeError::Engine(EngineError::NotFound(_)) => Ok(None),
            MakeError::Tree(error) => Err(MakeError::Pattern(error.to_string())),
            error => Err(error),
        },
    }
}

/// Reports progress. Fails if the job was asked to stop, or the disk is full.
pub(super) fn proceed(library: &Library, progress: &Progress, read: u64) -> io::Result<()> {
    progress.reach(read);
    if let Some(stop) = progress.stopped() {
        return Err(io::Error::other(MakeError::Stopped(stop)));
    }
    if library.disk_space.as_ref().is_some_and(DiskSpace::is_full) {
        return Err(io::Error::other(no_space("make an image")));
    }
    Ok(())
}

/// The archive of the container, with the progress of its job.
struct Watched<'a> {
    archive: Box<dyn Read + Send>,
    library: &'a Library,
    progress: &'a Progress,
    read: u64,
}

impl Read for Watched<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        proceed(self.library, self.progress, self.read)?;
        failpoint::reached("save.piece");
        let read = self.archive.read(buf)?;
        self.read += read as u64;
        if i64::try_from(self.read).is_ok_and(|read| read <= DISK_BYTES_MAX) {
            return Ok(read);
        }
        Err(io::Error::other(MakeError::TooLarge))
    }
}

/// A paused container, resumed when this is dropped.
struct Paused<'a> {
    library: &'a Library,
    saving: &'a Saving,
}

impl<'a> Paused<'a> {
    /// Pauses the container if that is wanted.
    fn begin(library: &'a Library, saving: &'a Saving) -> Result<Option<Self>, MakeError> {
        let is_running = saving.container.state == State::Running;
        if !is_running || !saving.options.pause {
            return Ok(None);
        }
        // Recorded first: after a crash, somebody must resume it.
        let runtime = Handle::current();
        runtime
            .block_on(library.catalog.set_paused_for(&saving.instance.id, &saving.image_id))
            .map_err(Internal::Catalog)?;
        let paused = Self { library, saving };
        runtime.block_on(saving.engine.pause(&saving.container.id)).map_err(|error| match error {
            error @ (EngineError::Conflict(_) | EngineError::Failed(_)) => MakeError::Pause(error),
            error => MakeError::Engine(error),
        })?;
        failpoint::reached("save.paused");
        Ok(Some(paused))
    }
}

impl Drop for Paused<'_> {
    fn drop(&mut self) {
        let Self { library, saving } = self;
        let resumed = library.resume(&saving.engine, &saving.container.id, &saving.instance.id);
        if let Err(error) = Handle::current().block_on(resumed) {
            let instance_id = &saving.instance.id;
            // The next look at the engine tries again.
            tracing::error!(instance_id, error = &error as &dyn Error, "cannot resume a container");
        }
    }
}

/// Drops variables that describe one container, or the GPUs that it was given.
fn without_own_variables(mut run: RunConfig) -> RunConfig {
    run.env.retain(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let names_gpus =
            name == "NVIDIA_VISIBLE_DEVICES" && (value.starts_with("GPU-") || value.starts_with("MIG-"));
        !OWN_VARIABLES.contains(&name) && !names_gpus
    });
    run.labels.retain(|name, _| !name.starts_with("jingku."));
    run
}
