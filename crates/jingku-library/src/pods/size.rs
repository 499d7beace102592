//! What a pod may use.

use jingku_catalog::Pod;

/// What a tier of a start without GPUs gives: its name, cores and MB.
pub const WITHOUT_GPU_TIERS: [(&str, i64, i64); 2] = [("A", 2, 4096), ("B", 8, 16384)];

/// Cores and MB of a pod that was started without GPUs: no more than it has otherwise.
pub fn size_without_gpu(pod: &Pod) -> Option<(i64, i64)> {
    let tier = WITHOUT_GPU_TIERS.into_iter().find(|(name, ..)| *name == pod.without_gpu);
    tier.map(|(_, cpus, memory_mb)| (cpus.min(pod.cpu), memory_mb.min(pod.memory_mb)))
}
