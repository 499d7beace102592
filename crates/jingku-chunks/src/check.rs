//! Looking whether what is stored is what it should be, beside writers and sweeps: `docs/operate/check.md`.

mod compare;
mod look;
mod plan;
mod report;

use std::sync::Arc;

use self::compare::Compare;
use self::look::{Group, Look};
pub use self::plan::{CHECK_THREADS_MAX, CheckPlan, Depth, Seen, Watch};
pub use self::report::{FLAWS_MAX, Findings, Flaw};
use crate::backend::Backend;
use crate::error::Result;
use crate::id::ManifestId;
use crate::suspects::Suspects;

/// Runs a check; `None` when it was stopped.
pub(crate) fn run(
    backend: &Arc<dyn Backend>,
    manifests: &[ManifestId],
    plan: &CheckPlan,
    watch: Watch<'_>,
) -> Result<Option<Findings>> {
    let mut findings = Findings::new(manifests.len());
    let noted = Suspects::load(backend.as_ref())?;
    let look = Look::new(backend.as_ref(), plan, &noted, watch);
    let mut compare = Compare::new(backend.as_ref(), manifests, &look);
    let mut next = Some(*plan.prefixes.start()).filter(|first| plan.prefixes.contains(first));
    // A store without a chunk has manifests all the same.
    while let Some(first) = next {
        let Some(mut group) = Group::look(&look, first, *plan.prefixes.end(), plan.census_chunks_max)? else {
            return Ok(None);
        };
        findings.chunks += group.chunks.len() as u64;
        compare.all(&mut group, &mut findings);
        next = group.last_prefix.checked_add(1).filter(|first| plan.prefixes.contains(first));
    }
    findings.bytes = look.bytes();
    (findings.read_chunks, findings.read_bytes) = look.read();
    Ok(Some(findings))
}
