use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use jingku_protocol::actions::{Action, Repeat};
use tokio::time::{Instant, sleep, timeout};

use crate::config::Config;
use crate::error::Error;

/// The pause before the first retry, before jitter.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// No pause is longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Makes attempts until one succeeds or sending again would be useless, unsafe, once too often or too late. A pause
/// that would outlast the call's time ends it at once, with the error at hand: it says more than a timeout.
pub(crate) async fn run<T, F, A>(config: &Config, action: Action, attempt: F) -> Result<T, Error>
where
    F: Fn() -> A,
    A: Future<Output = Result<T, Error>>,
{
    let started = Instant::now();
    for retries in 0.. {
        let left = config.timeout.saturating_sub(started.elapsed());
        let error = match timeout(left, attempt()).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) => error,
            Err(_) => break,
        };
        let pause = pause(retries, random());
        let in_time = started.elapsed() + pause < config.timeout;
        if retries >= config.max_retries || !may_send_again(&error, action.repeat()) || !in_time {
            return Err(error);
        }
        sleep(pause).await;
    }
    Err(Error::Timeout { action, after: config.timeout })
}

fn may_send_again(error: &Error, repeat: Repeat) -> bool {
    match repeat {
        Repeat::Safe => error.is_retryable(),
        // A refusal that asks to come later may still come from a proxy behind which the request was carried out.
        Repeat::Unsafe => matches!(error, Error::Connect { .. }),
    }
}

/// The pause before retry number `retries`, counted from 0: twice as long each time, and between half and all of it,
/// so that clients that failed together do not come back together.
fn pause(retries: u32, random: u64) -> Duration {
    let whole = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(retries)).min(LONGEST_PAUSE);
    let half = whole / 2;
    let extra_ms = random % (u64::try_from(half.as_millis()).unwrap_or(u64::MAX) + 1);
    half + Duration::from_millis(extra_ms)
}

/// A number that differs between processes and calls. The seed of the standard library's hash tables is good enough to
/// spread retries in time and saves a dependency; nothing secret or reproducible hangs on it.
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_bound() {
        for (retries, whole_ms) in [(0, 200), (1, 400), (2, 800), (5, 6400), (6, 10_000), (u32::MAX, 10_000)]
        {
            for random in [0, 1, 99, 12_345, u64::MAX] {
                let pause = pause(retries, random).as_millis();
                assert!((whole_ms / 2..=whole_ms).contains(&pause), "{retries}: {pause} ms");
            }
        }
        assert_ne!(random(), random());
    }
}
