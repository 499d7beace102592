//! No list, count or error reveals resources of other accounts: random sequences of calls, compared with a model.
//!
//! `JINGKU_TENANCY_SEQUENCES` sets the number of sequences (default 5,000), `JINGKU_TENANCY_SEED` the seed (default 1).
//! A failure prints the shortest failing sequence that was found.

mod ask;
mod model;
mod server;
mod step;

use std::cell::Cell;

use jingku_protocol::actions::Action;
use proptest::arbitrary::any;
use proptest::collection::vec;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use ask::ActionKind;
use server::Server;
use step::Step;

/// The sequences run in parallel shards, each with its own seed.
const SHARDS: u64 = 4;
const SEQUENCES: u32 = 5_000;
const STEPS_MAX: usize = 8;
/// Once in this many sequences, every account requests everything. Otherwise one account requests lists, and another one
/// requests what was changed.
const WHOLE_EVERY: u32 = 500;

/// Counters of a shard.
#[derive(Default)]
struct Tally {
    sequences: Cell<u32>,
    steps: Cell<u64>,
    /// While a failure is shrunk, every account requests everything, so that the result does not depend on who asks.
    failed: Cell<bool>,
}

fn setting<T: std::str::FromStr>(name: &str) -> Option<T> {
    let text = std::env::var(name).ok()?;
    let value = text.parse().ok();
    Some(value.unwrap_or_else(|| panic!("{name} is {text:?}, which is not a number")))
}

#[expect(
    clippy::print_stderr,
    reason = "the seed reproduces a failure, and the counters show what a success covers"
)]
fn run(shard: u64) {
    let seed: u64 = setting("JINGKU_TENANCY_SEED").unwrap_or(1);
    let sequences: u32 = setting("JINGKU_TENANCY_SEQUENCES").unwrap_or(SEQUENCES);
    let cases = sequences.div_ceil(u32::try_from(SHARDS).unwrap());
    eprintln!("tenancy seed {seed}, shard {shard}: {cases} sequences");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let server = runtime.block_on(Server::start());
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 300, ..Config::default() };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..16].copy_from_slice(&shard.to_le_bytes());
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let tally = Tally::default();
    let mut runner = TestRunner::new_with_rng(config, random);
    let input = (vec(Step::any(), 1..=STEPS_MAX), any::<[u8; 3]>());
    let outcome = runner.run(&input, |(steps, askers)| {
        let outcome = runtime.block_on(sequence(&server, &steps, askers, &tally));
        tally.failed.set(tally.failed.get() || outcome.is_err());
        outcome.map_err(TestCaseError::fail)
    });
    let (sequences, steps) = (tally.sequences.get(), tally.steps.get());
    let asked = server.asked.borrow();
    let questions: u64 = asked.values().flatten().sum::<u64>();
    eprintln!(
        "tenancy shard {shard}: {sequences} sequences, {steps} steps, {questions} calls, of which {} compared \
         byte by byte",
        server.compared.get()
    );
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(reason, _) | TestError::Abort(reason)) => {
            panic!("tenancy seed {seed}, shard {shard}: {reason}")
        }
    }
    for action in Action::ALL {
        let [carried_out, refused] = asked.get(action.name()).copied().unwrap_or_default();
        let enough = match ask::action_kind(*action) {
            ActionKind::Step => carried_out > 0 && refused > 0,
            ActionKind::List | ActionKind::Constant => carried_out + refused > 0,
        };
        // A short run need not reach every action.
        assert!(enough || sequences < 1000, "{action:?}: {carried_out} carried out, {refused} refused");
    }
}

async fn sequence(server: &Server, steps: &[Step], askers: [u8; 3], tally: &Tally) -> Result<(), String> {
    let mut world = server.reset().await;
    let mut deeds = Vec::new();
    for step in steps {
        world.now += step.seconds();
        server.set_clock(world.now);
        let deed = step.deed(&world);
        let done = deed.done(server, &mut world).await;
        deeds.push(deed);
        done.map_err(|error| format!("{error}\nafter {deeds:#?}"))?;
    }
    if !tally.failed.get() {
        tally.steps.set(tally.steps.get() + steps.len() as u64);
        tally.sequences.set(tally.sequences.get() + 1);
    }
    let asked = if tally.failed.get() || tally.sequences.get().is_multiple_of(WHOLE_EVERY) {
        ask::ask_all(server, &world).await
    } else {
        let [viewer, stranger, subject] = askers;
        let subject = deeds[usize::from(subject) % deeds.len()].subject();
        ask::ask_about(server, &world, [viewer, stranger], subject).await
    };
    asked.map_err(|error| format!("{error}\nafter {deeds:#?}"))
}

#[test]
fn no_account_learns_about_foreign_resources_0() {
    run(0);
}

#[test]
fn no_account_learns_about_foreign_resources_1() {
    run(1);
}

#[test]
fn no_account_learns_about_foreign_resources_2() {
    run(2);
}

#[test]
fn no_account_learns_about_foreign_resources_3() {
    run(3);
}
