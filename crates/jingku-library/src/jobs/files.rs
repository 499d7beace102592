//! Where the files of a container are read: in its root directory, or from its engine.

use std::error::Error;
use std::io::{self, Read};
use std::sync::Arc;

use jingku_engine::{Container, Engine};
use jingku_sources::tree::{Refetch, Root, RootArchive};
use tokio::runtime::Handle;

use super::make::MakeError;
use crate::library::Library;

/// The files of a container.
#[derive(Clone)]
pub(super) enum Files {
    /// In its root directory. Errors are [`MakeError::Root`]: the engine may be able to read them.
    Root(Arc<Root>),
    /// From the engine, which has a container of this id.
    Engine(Engine, String),
}

impl Files {
    /// The root directory if the server can read it, otherwise the engine. Both yield the same archive; the engine takes
    /// longer and may leave out attributes.
    pub(super) fn find(library: &Library, engine: &Engine, container: &Container) -> Self {
        let name = &container.name;
        let place = container.root.as_ref().filter(|_| library.containers.trusts_engine());
        match place.map(|place| Root::open(&place.directory, place.process)) {
            Some(Ok(root)) => {
                tracing::info!(container = name, from = "root directory", "reading a container");
                return Self::Root(Arc::new(root));
            }
            Some(Err(error)) => {
                let why = &error as &dyn Error;
                tracing::info!(container = name, from = "engine", why, "reading a container");
            }
            None => tracing::info!(container = name, from = "engine", "reading a container"),
        }
        Self::of_engine(engine, container)
    }

    pub(super) fn of_engine(engine: &Engine, container: &Container) -> Self {
        Self::Engine(engine.clone(), container.id.clone())
    }

    /// The word of the API for it.
    pub(super) fn as_str(&self) -> &'static str {
        match self {
            Self::Root(_) => "directory",
            Self::Engine(..) => "engine",
        }
    }

    /// Reads all files as an archive. Must be called on the runtime.
    pub(super) fn all(&self) -> io::Result<Box<dyn Read + Send>> {
        match self {
            Self::Root(root) => Ok(Box::new(Direct(root.archive().map_err(of_root)?))),
            Self::Engine(engine, id) => Ok(Box::new(engine.export(id))),
        }
    }

    /// Reads one file, by its path below the root, as an archive.
    pub(super) fn one(&self, path: &[u8]) -> io::Result<Box<dyn Read + Send>> {
        match self {
            Self::Root(root) => match root.file(path) {
                Ok(archive) => Ok(Box::new(Direct(archive))),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Err(error),
                Err(error) => Err(of_root(error)),
            },
            Self::Engine(engine, id) => {
                let path = std::str::from_utf8(path)
                    .map_err(|_| io::Error::other("the path of a file is not UTF-8"))?;
                Ok(Box::new(engine.export_file(id, &format!("/{path}"))))
            }
        }
    }

    /// Reads files again for hard links. Must be called on the runtime.
    pub(super) fn refetch(&self) -> Refetch {
        let (files, runtime) = (self.clone(), Handle::current());
        Box::new(move |path| {
            let _runtime = runtime.enter();
            files.one(path)
        })
    }
}

/// An archive of the root directory.
struct Direct(RootArchive);

impl Read for Direct {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let read = self.0.read(buf).map_err(|error| match error.kind() {
            io::ErrorKind::Interrupted => error,
            _ => of_root(error),
        })?;
        let shortened = self.0.shortened_count();
        if read == 0 && !buf.is_empty() && shortened > 0 {
            tracing::warn!(
                shortened,
                "files became shorter while they were read: zeros take the place of their ends"
            );
        }
        Ok(read)
    }
}

fn of_root(error: io::Error) -> io::Error {
    io::Error::other(MakeError::Root(error))
}
