//! Verifies stored objects while writers and sweeps run: `docs/operate/check.md`.

mod comparison;
mod plan;
mod report;
mod scanner;

use std::sync::Arc;

use self::comparison::Comparison;
pub use self::plan::{CHECK_THREADS_MAX, CheckPlan, CheckProgress, Depth, OnProgress};
pub use self::report::{CheckReport, FINDINGS_MAX, Finding};
use self::scanner::{Group, Scanner};
use crate::backend::Backend;
use crate::error::Result;
use crate::id::ManifestId;
use crate::quarantine::Quarantine;

/// Runs a check; `None` if it was stopped.
pub(crate) fn run(
    backend: &Arc<dyn Backend>,
    manifests: &[ManifestId],
    plan: &CheckPlan,
    on_progress: OnProgress<'_>,
) -> Result<Option<CheckReport>> {
    let mut report = CheckReport::new(manifests.len());
    let quarantine = Quarantine::load(backend.as_ref())?;
    let scanner = Scanner::new(backend.as_ref(), plan, &quarantine, on_progress);
    let mut comparison = Comparison::new(&scanner, manifests);
    let mut next = Some(*plan.prefixes.start()).filter(|first| plan.prefixes.contains(first));
    // Runs once even if there are no chunks, since manifests still need checking.
    while let Some(first) = next {
        let Some(group) = Group::scan(&scanner, first)? else { return Ok(None) };
        report.chunks += group.chunks.len() as u64;
        comparison.all(&group, &mut report);
        next = group.prefixes.end().checked_add(1).filter(|first| plan.prefixes.contains(first));
    }
    report.bytes = scanner.bytes.into_inner();
    report.read_chunks = scanner.read_chunks.into_inner();
    report.read_bytes = scanner.read_bytes.into_inner();
    Ok(Some(report))
}
