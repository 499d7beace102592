//! How busy the containers of instances are.

use std::time::Duration;

use futures::future::join_all;
use jingku_engine::Usage;
use tokio::time::timeout;

use super::facts::ContainerFacts;
use crate::library::Library;

/// How long measuring may take. It takes a second if the engine is not busy.
const MEASURE_TIMEOUT: Duration = Duration::from_secs(5);

/// What a container uses of what it may use.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ContainerLoad {
    /// Percent of its cores.
    pub cpu_percent: f64,
    /// Percent of its memory.
    pub memory_percent: f64,
}

impl Library {
    /// Measures containers, all at once; `None` for one that does not run, or that the engine does not measure in time.
    pub async fn container_loads(&self, containers: &[ContainerFacts]) -> Vec<Option<ContainerLoad>> {
        let Some(Ok(engine)) = self.containers.engine().await else { return vec![None; containers.len()] };
        let cpus_of_host = self.host_offer().cpus;
        let measure = async |facts: &ContainerFacts| {
            let usage = timeout(MEASURE_TIMEOUT, engine.usage(&facts.engine_id)).await.ok()?.ok()?;
            Some(load(usage, if facts.cpu > 0 { facts.cpu } else { cpus_of_host }))
        };
        join_all(containers.iter().map(measure)).await
    }
}

#[expect(clippy::cast_precision_loss, reason = "cores and bytes of one machine are below 2^53")]
fn load(usage: Usage, cpus: i64) -> ContainerLoad {
    let percent = |part: u64, whole: f64| (part as f64 / whole.max(1.0) * 1000.0).round() / 10.0;
    ContainerLoad {
        cpu_percent: percent(usage.cpu_milli, cpus as f64 * 1000.0),
        memory_percent: percent(usage.memory_bytes, usage.memory_limit_bytes as f64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_load_is_a_share_of_what_a_container_may_use() {
        let usage = Usage { cpu_milli: 1500, memory_bytes: 1 << 20, memory_limit_bytes: 3 << 20 };
        assert_eq!(load(usage, 2), ContainerLoad { cpu_percent: 75.0, memory_percent: 33.3 });
        let without_limit = Usage { memory_limit_bytes: 0, memory_bytes: 0, cpu_milli: 0 };
        assert_eq!(load(without_limit, 1), ContainerLoad { cpu_percent: 0.0, memory_percent: 0.0 });
    }
}
