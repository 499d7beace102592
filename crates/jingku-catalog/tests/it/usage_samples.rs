use jingku_catalog::{Scope, USAGE_SAMPLES_MAX, UsageSample};

use crate::engines::{Engine, on_every_engine};
use crate::setting::{account, lab, make};

on_every_engine!(an_account_is_measured_once_a_day_and_after_changes, samples_are_limited_by_number,);

const DAY: i64 = 24 * 60 * 60;
const NOON: i64 = 20_000 * DAY + DAY / 2;

fn sample(measured_at: i64, detail: &str) -> UsageSample {
    UsageSample {
        measured_at,
        images: 1,
        logical_bytes: 4,
        stored_bytes: 3,
        unique_bytes: 2,
        trash_bytes: 1,
        detail: detail.to_owned(),
    }
}

async fn an_account_is_measured_once_a_day_and_after_changes(engine: Engine) {
    let catalog = &engine.catalog;
    let owner = lab(catalog).await;
    // An account that never had an image has nothing to measure.
    account(catalog, "empty").await;
    assert_eq!(catalog.accounts_to_measure(NOON, 10).await.unwrap(), []);
    make(catalog, owner, "a", "vm", NOON).await;
    let due = async |now| catalog.accounts_to_measure(now, 10).await.unwrap();
    let [(account, revision)] = due(NOON).await[..] else { panic!("one account is due") };
    assert_eq!(account, owner);
    catalog.save_usage_sample(owner, revision, &sample(NOON, "first")).await.unwrap();
    assert_eq!(due(NOON + 7200).await, []);
    assert_eq!(due(NOON + DAY).await, [(owner, revision)]);
    catalog.delete_image(Scope::own(owner), "image-a", NOON).await.unwrap();
    let changed = catalog.account_revision(owner).await.unwrap().unwrap();
    assert_eq!(due(NOON + 3599).await, []);
    // Also if the clock was set back.
    for now in [NOON + 3600, NOON - 60] {
        assert_eq!(due(now).await, [(owner, changed)]);
    }
    catalog.save_usage_sample(owner, changed, &sample(NOON + 3600, "second")).await.unwrap();
    assert_eq!(catalog.usage_samples(owner, 9).await.unwrap(), [sample(NOON + 3600, "second")]);
    let tomorrow = sample(NOON + DAY, "third");
    catalog.save_usage_sample(owner, changed, &tomorrow).await.unwrap();
    assert_eq!(catalog.usage_samples(owner, 9).await.unwrap(), [tomorrow.clone(), sample(NOON + 3600, "")]);
    assert_eq!(catalog.usage_samples(owner, 1).await.unwrap(), [tomorrow]);
}

async fn samples_are_limited_by_number(engine: Engine) {
    let catalog = &engine.catalog;
    let owner = lab(catalog).await;
    let days = i64::from(USAGE_SAMPLES_MAX) + 2;
    for day in 0..days {
        catalog.save_usage_sample(owner, 0, &sample(day * DAY, "detail")).await.unwrap();
    }
    let samples = catalog.usage_samples(owner, u32::MAX).await.unwrap();
    assert_eq!(samples.len(), USAGE_SAMPLES_MAX as usize);
    assert_eq!(samples[0].measured_at, (days - 1) * DAY);
}
