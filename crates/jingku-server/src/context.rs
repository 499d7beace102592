//! What every request is handed.

use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use jingku_library::{Config, ConnectionLimits, Environment, Internal, Library, StartError};

use crate::lab::Lab;
use crate::limits::Shared;
use crate::link::{Link, UploadLink};
use crate::pages::PageCache;
use crate::transfer::OpenManifests;

/// A library, and what a server keeps beside it to answer requests.
pub struct Context {
    library: Arc<Library>,
    /// Where clients reach the service, once it is known.
    public_url: OnceLock<String>,
    /// Limits that all clients share.
    pub(crate) limits: Shared,
    /// Manifests of disks that clients read.
    pub(crate) manifests: Arc<OpenManifests>,
    /// Pages of the list that are current.
    pub(crate) pages: PageCache,
    /// What a server that clients are tested against lets be done to it.
    pub(crate) lab: Option<Arc<Lab>>,
}

impl Deref for Context {
    type Target = Library;

    fn deref(&self) -> &Library {
        &self.library
    }
}

impl Context {
    /// Puts a server on a library.
    pub fn new(library: impl Into<Arc<Library>>) -> Self {
        let library = library.into();
        let public_url = library.config.public_url.as_ref().map(|url| url.to_string().into());
        Self {
            library,
            public_url: public_url.unwrap_or_default(),
            limits: Shared::default(),
            manifests: Arc::default(),
            pages: PageCache::default(),
            lab: None,
        }
    }

    /// Makes everything in memory, with a lab: see docs/operate/lab.md. To be reset, it must be told when it is filled,
    /// with [`Context::remember_start`].
    pub async fn open_lab(config: &Config, environment: Environment) -> Result<Self, StartError> {
        let lab = Lab::open(config, environment).await?;
        let context = Self::new(Arc::clone(lab.library()));
        Ok(Self { lab: Some(Arc::new(lab)), ..context })
    }

    /// Remembers what the catalogue holds now as what a lab is reset to. Does nothing without a lab.
    pub async fn remember_start(&self) -> Result<(), Internal> {
        match &self.lab {
            Some(lab) => lab.remember_start().await,
            None => Ok(()),
        }
    }

    /// The library below.
    pub fn library(&self) -> &Arc<Library> {
        &self.library
    }

    /// Tells where the service listens, such as `http://127.0.0.1:8480`: what it answers as a link leads there, unless
    /// the configuration says otherwise. To be called before the first request.
    pub fn set_base_url(&self, base_url: &str) {
        // What was set first stays.
        let _ = self.public_url.set(base_url.to_owned());
    }

    /// How many connections the configuration allows: for [`serve_with`](crate::serve_with).
    pub fn connection_limits(&self) -> ConnectionLimits {
        self.config.connections
    }

    /// The address of a cover; empty for none.
    pub(crate) fn cover_url(&self, id: &str) -> String {
        if id.is_empty() { String::new() } else { format!("{}/covers/{id}", self.base_url()) }
    }

    /// A link as an address.
    pub(crate) fn link_url(&self, link: &Link) -> String {
        format!("{}{}", self.base_url(), link.path_and_query(self.keyring().links()))
    }

    /// A link to which the file of an image is uploaded, as an address.
    pub(crate) fn upload_url(&self, link: &UploadLink) -> String {
        format!("{}{}", self.base_url(), link.path_and_query(self.keyring().links()))
    }

    fn base_url(&self) -> &str {
        self.public_url.get().map_or("", String::as_str)
    }
}
