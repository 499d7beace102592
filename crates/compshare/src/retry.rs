use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use jingku_protocol::actions::{Action, Repeat};
use tokio::time::{Instant, timeout};

use crate::config::Config;
use crate::error::Error;

/// The first pause is from 0.1 to 0.2 s. Each is twice as long, up to 5 to 10 s. The jitter spreads clients that failed
/// together.
const PAUSES: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(Duration::from_millis(100))
    .with_max_delay(Duration::from_secs(5))
    .with_jitter();

/// Repeats an attempt until it succeeds, or until a retry would be useless, unsafe, one too many or too late. If the next
/// pause exceeds the call's time, the last error is returned at once: it says more than a timeout.
pub(crate) async fn run<T, F, A>(config: &Config, action: Action, attempt: F) -> Result<T, Error>
where
    F: Fn() -> A,
    A: Future<Output = Result<T, Error>>,
{
    let started = Instant::now();
    let in_time = || async {
        let left = config.timeout.saturating_sub(started.elapsed());
        let timed_out = Error::Timeout { action, after: config.timeout };
        timeout(left, attempt()).await.unwrap_or(Err(timed_out))
    };
    in_time
        .retry(PAUSES.with_max_times(config.max_retries as usize))
        .when(|error| match action.repeat() {
            Repeat::Safe => error.is_retryable(),
            // A refusal that says to retry may come from a proxy after the server has executed the request.
            Repeat::Unsafe => matches!(error, Error::Connect { .. }),
        })
        .adjust(|_, pause| pause.filter(|pause| started.elapsed() + *pause < config.timeout))
        .await
}

#[cfg(test)]
mod tests {
    use backon::BackoffBuilder;

    use super::*;

    #[test]
    fn pauses_grow_to_a_bound() {
        let pauses: Vec<_> = PAUSES.with_max_times(8).build().map(|pause| pause.as_millis()).collect();
        let least_ms = [100, 200, 400, 800, 1600, 3200, 5000, 5000];
        assert_eq!(pauses.len(), least_ms.len());
        for (pause, least) in pauses.into_iter().zip(least_ms) {
            assert!((least..=2 * least).contains(&pause), "{pause} ms");
        }
    }
}
