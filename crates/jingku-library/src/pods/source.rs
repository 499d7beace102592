//! Loads the image of a pod into the engine.

use std::io;

use bytes::Bytes;
use futures::{Stream, StreamExt};
use jingku_catalog::{ContainerImage, ImageKey, Pod, Scope};
use jingku_chunks::{GcGuard, Manifest, ManifestId, Piece, Store};
use jingku_engine::Engine;
use jingku_sources::oci::{Frame, OciImage};
use tokio::sync::mpsc;

use super::error::PodError;
use crate::error::Internal;
use crate::failpoint;
use crate::library::Library;
use crate::zeros::zeros;

/// Pieces read ahead of the engine, each at most a chunk.
const PIECES_AHEAD: usize = 8;
/// The repository of the images that this server loads. An image with such a name is removed when no pod needs it.
const REPOSITORY: &str = "localhost/jingku";

impl Library {
    /// Has the engine know the image of a pod, and returns the name that the engine knows it by.
    pub(super) async fn load_image(&self, engine: &Engine, pod: &Pod) -> Result<String, PodError> {
        let (row, oci) = self.image_of(pod).await?;
        let digest = oci.config_digest();
        let name = loaded_name(digest.strip_prefix("sha256:").unwrap_or(&digest));
        {
            let _none_removed = self.pods.removing.lock().await;
            // Recorded first, so that no other pod removes the image, and so that it is removed even after a crash.
            self.catalog.set_loaded_image(&pod.id, &name).await?;
        }
        if engine.has_image(&name).await? {
            return Ok(name);
        }
        let _one = self.pods.loading.lock().await;
        if engine.has_image(&name).await? {
            return Ok(name);
        }
        // Somebody else loaded or pulled it. It stays when the pod is gone, because it does not have our name.
        if engine.has_image(&digest).await? {
            return Ok(digest);
        }
        let frame = Frame::docker_archive(&oci.config, &oci.layer, &name);
        let layer = self.read_layer(&row).await?;
        let before = futures::stream::iter([Ok(Bytes::from(frame.before))]);
        let after = futures::stream::iter([Ok(Bytes::from(frame.after))]);
        failpoint::passed("pod.loading");
        engine.load(before.chain(layer).chain(after)).await.map_err(PodError::Load)?;
        failpoint::reached("pod.image_loaded");
        Ok(name)
    }

    /// Removes the image that was loaded for a pod, if no other pod needs it.
    pub(super) async fn unload_image(&self, engine: &Engine, pod: &Pod) -> Result<(), PodError> {
        let _none_recorded = self.pods.removing.lock().await;
        if pod.loaded_image.is_empty()
            || self.catalog.is_image_loaded_for_others(&pod.loaded_image, &pod.id).await?
        {
            return Ok(());
        }
        Ok(engine.remove_image(&pod.loaded_image).await?)
    }

    async fn image_of(&self, pod: &Pod) -> Result<(ContainerImage, OciImage), PodError> {
        let instance = self.catalog.instance(None, &pod.id).await?;
        let from = instance.and_then(|instance| instance.started_from).ok_or(PodError::ImageGone)?;
        let scope = Scope::visible_to(pod.account);
        let image = self.catalog.image(scope, &from.image_id).await?.ok_or(PodError::ImageGone)?;
        let row = self.catalog.container_image(scope, image.account, ImageKey::Id(&image.id)).await?;
        let row = row.ok_or(PodError::ImageGone)?;
        let oci = serde_json::from_str(&row.oci)
            .map_err(|error| Internal::BadRow(format!("documents of image {}: {error}", row.image_id)))?;
        Ok((row, oci))
    }

    /// Reads the layer of an image. A corrupted chunk ends it with an error.
    async fn read_layer(
        &self,
        row: &ContainerImage,
    ) -> Result<impl Stream<Item = io::Result<Bytes>> + Send + use<>, PodError> {
        let bad_name = |_| Internal::BadRow(format!("image {}: manifest {}", row.image_id, row.manifest));
        let id: ManifestId = row.manifest.parse().map_err(bad_name)?;
        let store = self.store.clone();
        let opening = tokio::task::spawn_blocking(move || {
            // Keeps the chunks if the image is deleted permanently meanwhile. Absent if the file system is full.
            let guard = store.guard(&[id]).ok();
            let manifest = store.open_manifest(id)?;
            Ok::<_, jingku_chunks::Error>((store, manifest, guard))
        });
        let (store, manifest, guard) = opening.await.map_err(Internal::Task)?.map_err(Internal::Store)?;
        let (sender, receiver) = mpsc::channel(PIECES_AHEAD);
        tokio::task::spawn_blocking(move || send_layer(&store, &manifest, guard, &sender));
        Ok(futures::stream::unfold(receiver, async |mut receiver| Some((receiver.recv().await?, receiver))))
    }
}

/// The name under which an image is loaded: one for each configuration, and so for each image.
fn loaded_name(id: &str) -> String {
    format!("{REPOSITORY}:{id}")
}

/// Sends the layer until its end, an error, or a receiver that is gone.
fn send_layer(
    store: &Store,
    manifest: &Manifest,
    _guard: Option<GcGuard>,
    sender: &mpsc::Sender<io::Result<Bytes>>,
) {
    let pieces = match store.read(manifest) {
        Ok(pieces) => pieces,
        Err(error) => return drop(sender.blocking_send(Err(io::Error::other(error)))),
    };
    for piece in pieces {
        let is_sent = match piece {
            Ok(Piece::Data(bytes)) => sender.blocking_send(Ok(bytes.into())).is_ok(),
            Ok(Piece::Zero(length)) => send_zeros(length, sender),
            Err(error) => return drop(sender.blocking_send(Err(io::Error::other(error)))),
        };
        if !is_sent {
            return;
        }
    }
}

fn send_zeros(mut length: u64, sender: &mpsc::Sender<io::Result<Bytes>>) -> bool {
    while length > 0 {
        let piece = zeros(length);
        length -= piece.len() as u64;
        if sender.blocking_send(Ok(piece)).is_err() {
            return false;
        }
    }
    true
}
