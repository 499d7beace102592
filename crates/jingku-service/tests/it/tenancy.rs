//! Accounts, images, shares, favourites and publications at random; then everybody asks for everything, and sees what a
//! model says: no more, no less, and of what is not theirs the very bytes that are answered about what does not exist.
//!
//! `JINGKU_TENANCY_SEQUENCES` says how many sequences (20,000 unless given), `JINGKU_TENANCY_SEED` where they begin. A
//! failure names the seed of its sequence: that one alone runs with it and one sequence.

mod ask;
mod model;
mod step;

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use jingku_service::{Config, Context, Environment, FixedClock, Fixtures, SeededRandom, router};

use crate::support::{Caller, NOW};
use ask::Unseen;
use model::World;

/// Three accounts, with images in every status that a making ends in or not.
const FIXTURES: &str = r#"
accounts = [{ name = "ada" }, { name = "bob" }, { name = "cyd" }]
images = [
    { name = "a", account = "ada", size_mb = 1, count = 2 },
    { name = "b", account = "bob", size_mb = 1, count = 2 },
    { name = "c", account = "cyd", size_mb = 1 },
    { name = "making", account = "ada", size_mb = 1, status = "Making", progress = 40 },
    { name = "broken", account = "bob", size_mb = 1, status = "UnAvailable", reason = "No disk." },
    { name = "waiting", account = "cyd", size_mb = 1, status = "Reviewing" },
    { name = "public", account = "ada", size_mb = 1, published = {} },
]
"#;
const STEPS: u64 = 4;

/// Whole numbers from a seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        let place = self.below(of.len() as u64);
        &of[usize::try_from(place).unwrap()]
    }
}

/// A service, and whoever calls it: account 1 first.
struct Stage {
    context: Arc<Context>,
    callers: Vec<Caller>,
}

impl Stage {
    async fn set() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("fixtures.toml");
        std::fs::write(&file, FIXTURES).unwrap();
        let environment = Environment {
            clock: Arc::new(FixedClock::at(NOW)),
            random: Arc::new(SeededRandom::new(1)),
            ..Environment::default()
        };
        let context = Context::open_lab(&Config::default(), environment).await.unwrap();
        let accounts = context.load(&Fixtures::read(&file).unwrap(), None).await.unwrap();
        context.remember_start().await.unwrap();
        let context = Arc::new(context);
        let callers =
            accounts.iter().map(|account| Caller::with_keys(router(context.clone()), &account.keys[0]));
        Self { callers: callers.collect(), context }
    }

    fn caller(&self, account: i64) -> &Caller {
        &self.callers[usize::try_from(account - 1).unwrap()]
    }

    async fn reset(&self) {
        let request = Request::post("/_lab/reset").header("host", "127.0.0.1:1").header("x-jingku-lab", "1");
        let response = self.callers[0].open(request.body(Body::from("{}")).unwrap()).await;
        assert_eq!(response.status(), StatusCode::OK);
    }
}

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |text| text.parse().expect("a whole number"))
}

/// Plays every second sequence, from the first or the second on: two halves make use of two cores.
#[expect(clippy::print_stderr, reason = "a failure is looked into by its seed")]
async fn play(half: u64) {
    let (seed, sequences) = (number("JINGKU_TENANCY_SEED", 1), number("JINGKU_TENANCY_SEQUENCES", 20_000));
    eprintln!("{sequences} sequences from seed {seed} on, every second one");
    let stage = Stage::set().await;
    let start = World::of_fixtures(&stage).await;
    let unseen = Unseen::of(&stage).await;
    let mut asked = 0;
    for seed in (seed..seed + sequences).skip(usize::try_from(half).unwrap()).step_by(2) {
        eprintln!("seed {seed}");
        stage.reset().await;
        let (mut world, mut dice) = (start.clone(), Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        let mut touched = vec![dice.one(&world.ids()).clone()];
        for _ in 0..STEPS {
            touched.push(step::take(&stage, &mut world, &mut dice).await);
        }
        let about = dice.one(&touched);
        asked += ask::everything(&stage, &unseen, &world, about).await;
    }
    eprintln!("{asked} questions");
}

#[tokio::test]
async fn everybody_sees_what_is_theirs_first_half() {
    play(0).await;
}

#[tokio::test]
async fn everybody_sees_what_is_theirs_second_half() {
    play(1).await;
}
