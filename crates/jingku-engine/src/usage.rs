//! How busy containers are.

use std::time::{Duration, Instant};

use bollard::models::ContainerStatsResponse;
use bollard::query_parameters::StatsOptionsBuilder;
use futures::StreamExt;
use futures::future::BoxFuture;

use crate::engine::Engine;
use crate::error::EngineError;

/// Between the two readings of the time that a container has used.
const MEASURE_TIME: Duration = Duration::from_secs(1);

/// What a container used during the last second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Thousandths of a core.
    pub cpu_milli: u64,
    /// Bytes of memory, without files that are only cached.
    pub memory_bytes: u64,
    /// Bytes of memory it may use: its limit, or the memory of the machine.
    pub memory_limit_bytes: u64,
}

impl Engine {
    /// Measures a running container for a second.
    pub fn usage<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Usage, EngineError>> {
        Box::pin(async move {
            let first = self.stats(id).await?;
            let started = Instant::now();
            tokio::time::sleep(MEASURE_TIME).await;
            let second = self.stats(id).await?;
            Ok(usage(&first, &second, started.elapsed()))
        })
    }

    async fn stats(&self, id: &str) -> Result<ContainerStatsResponse, EngineError> {
        let options = StatsOptionsBuilder::new().stream(false).one_shot(true).build();
        let mut stats = std::pin::pin!(self.docker.stats(id, Some(options)));
        match stats.next().await {
            Some(stats) => Ok(stats?),
            None => Err(EngineError::Away("it sent no statistics".to_owned())),
        }
    }
}

/// Computed from two readings here: not every engine sends an earlier one along.
fn usage(first: &ContainerStatsResponse, second: &ContainerStatsResponse, time: Duration) -> Usage {
    let nanos = |stats: &ContainerStatsResponse| {
        stats.cpu_stats.as_ref().and_then(|cpu| cpu.cpu_usage.as_ref()?.total_usage).unwrap_or(0)
    };
    let used = u128::from(nanos(second).saturating_sub(nanos(first)));
    let memory = second.memory_stats.clone().unwrap_or_default();
    let cached = memory.stats.as_ref().and_then(|stats| {
        // The names in the two hierarchies of control groups.
        stats.get("total_inactive_file").or_else(|| stats.get("inactive_file"))
    });
    Usage {
        cpu_milli: u64::try_from(used * 1000 / time.as_nanos().max(1)).unwrap_or(u64::MAX),
        memory_bytes: memory.usage.unwrap_or(0).saturating_sub(cached.copied().unwrap_or(0)),
        memory_limit_bytes: memory.limit.unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn usage_is_the_difference_of_two_readings() {
        let stats = |nanos: u64, stats: serde_json::Value| {
            serde_json::from_value::<ContainerStatsResponse>(json!({
                "cpu_stats": { "cpu_usage": { "total_usage": nanos } },
                "memory_stats": { "usage": 3000, "limit": 4000, "stats": stats },
            }))
            .unwrap()
        };
        let (first, second) =
            (stats(1_000_000_000, json!({})), stats(4_000_000_000, json!({ "inactive_file": 1000 })));
        let expected = Usage { cpu_milli: 1500, memory_bytes: 2000, memory_limit_bytes: 4000 };
        assert_eq!(usage(&first, &second, Duration::from_secs(2)), expected);
        let restarted = usage(&second, &stats(0, json!({ "total_inactive_file": 5000 })), Duration::ZERO);
        assert_eq!((restarted.cpu_milli, restarted.memory_bytes), (0, 0));
    }
}
