//! `jingku sweep`: removes unreferenced data, with or without a server running on the data directory.

use serde_json::json;

use crate::args::Global;
use crate::failure::Failure;
use crate::library::open;
use crate::messages::tr;
use crate::output::{bytes, done};

pub(crate) async fn run(global: &Global, dry_run: bool) -> Result<(), Failure> {
    let context = open(global).await?;
    let swept = context.sweep(dry_run, |_, _| true).await?;
    let files = swept.chunks + swept.manifests;
    let value = json!({ "Files": files, "Chunks": swept.chunks, "Manifests": swept.manifests, "Bytes": swept.bytes,
                        "ChunksSeen": swept.chunks_seen, "DryRun": dry_run });
    let size = bytes(swept.bytes);
    let text = if dry_run {
        tr!("check-sweep-would-remove", files, size)
    } else {
        tr!("check-sweep-removed", files, size)
    };
    done(global, &value, &text)
}
