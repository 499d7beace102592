//! Claims of writers that share a store: who is protected, and until when.

use jingku_catalog::{BuiltImage, ClaimState, CreateImage, ImageStatus, JobEnd, Scope};

use crate::engines::{Engine, on_every_engine};
use crate::setting::{NOW, claim, create, lab};

const LEASE_SECS: i64 = 600;
/// Ended when the next statement runs.
const NO_LEASE: i64 = -10;

on_every_engine!(
    a_claim_has_records_in_order,
    a_claim_ends_when_it_is_ended_or_expires,
    an_image_is_completed_only_while_its_claim_is_whole,
    a_sweep_announces_what_it_deletes,
    a_catalogue_has_one_name_in_its_bucket,
);

fn state(id: &str, records: i64) -> ClaimState<'_> {
    ClaimState { id, records }
}

async fn a_claim_has_records_in_order(engine: Engine) {
    let (catalog, other) = (&engine.catalog, engine.other_process().await);
    catalog.begin_claim("c1", "process", LEASE_SECS).await.unwrap();
    catalog.begin_claim("c2", "process", LEASE_SECS).await.unwrap();
    for (number, names) in [(1, "a"), (2, "b"), (3, "c")] {
        assert!(catalog.add_to_claim(state("c1", number), names).await.unwrap());
    }
    // A repetition, because the outcome was unknown.
    assert!(catalog.add_to_claim(state("c1", 3), "c").await.unwrap());
    // A gap, and a claim that does not exist.
    assert!(!catalog.add_to_claim(state("c1", 5), "e").await.unwrap());
    assert!(!catalog.add_to_claim(state("c9", 1), "e").await.unwrap());
    assert_eq!(other.claims().await.unwrap(), [("c1".to_owned(), 3), ("c2".to_owned(), 0)]);
    let records = |after, max| other.claim_records("c1", after, max);
    assert_eq!(records(0, 2).await.unwrap(), [(1, "a".to_owned()), (2, "b".to_owned())]);
    assert_eq!(records(2, 9).await.unwrap(), [(3, "c".to_owned())]);
}

async fn a_claim_ends_when_it_is_ended_or_expires(engine: Engine) {
    let (catalog, other) = (&engine.catalog, engine.other_process().await);
    for (id, owner) in [("c1", "alive"), ("c2", "alive"), ("c3", "dead")] {
        catalog.begin_claim(id, owner, NO_LEASE).await.unwrap();
        assert!(catalog.add_to_claim(state(id, 1), "a").await.unwrap());
    }
    assert_eq!(catalog.renew_claims("alive", LEASE_SECS).await.unwrap(), 2);
    // An expired claim is in force until a sweep ends it.
    assert_eq!(other.claims().await.unwrap().len(), 3);
    other.expire_claims().await.unwrap();
    assert_eq!(other.claims().await.unwrap(), [("c1".to_owned(), 1), ("c2".to_owned(), 1)]);
    assert!(!catalog.add_to_claim(state("c3", 2), "b").await.unwrap());
    assert_eq!(catalog.claim_records("c3", 0, 9).await.unwrap(), []);
    catalog.end_claim("c1").await.unwrap();
    catalog.end_claim("c1").await.unwrap();
    assert_eq!(other.claims().await.unwrap(), [("c2".to_owned(), 1)]);
}

async fn an_image_is_completed_only_while_its_claim_is_whole(engine: Engine) {
    let catalog = &engine.catalog;
    let owner = lab(catalog).await;
    assert!(matches!(create(catalog, owner, "a", "vm").await, CreateImage::Created));
    let job = claim(catalog, "worker", NOW).await.unwrap();
    catalog.begin_claim("c1", "process", NO_LEASE).await.unwrap();
    assert!(catalog.add_to_claim(state("c1", 1), "a").await.unwrap());
    let complete = |claim| {
        let built = BuiltImage { claim: Some(claim), ..BuiltImage::dense("m1", 7) };
        catalog.complete_job(&job, built, NOW)
    };
    // A fail-over lost a record that the writer had added, or the claim has ended.
    assert_eq!(complete(state("c1", 2)).await.unwrap(), JobEnd::ClaimExpired);
    assert_eq!(complete(state("c2", 1)).await.unwrap(), JobEnd::ClaimExpired);
    let image = || catalog.image(Scope::own(owner), "image-a");
    assert_eq!(image().await.unwrap().unwrap().status, ImageStatus::Making);
    // An expired lease is harmless while nobody has ended the claim.
    assert_eq!(complete(state("c1", 1)).await.unwrap(), JobEnd::Ended);
    assert_eq!(image().await.unwrap().unwrap().status, ImageStatus::Available);
}

async fn a_sweep_announces_what_it_deletes(engine: Engine) {
    let (catalog, other) = (&engine.catalog, engine.other_process().await);
    catalog.condemn("s1", "a b", 600).await.unwrap();
    catalog.condemn("s2", "c", 600).await.unwrap();
    let mut names = other.condemned().await.unwrap();
    names.sort();
    assert_eq!(names, ["a b", "c"]);
    assert!(catalog.is_condemned("s1", 60).await.unwrap());
    assert!(!catalog.is_condemned("s1", -1).await.unwrap(), "it is too old");
    assert!(!catalog.is_condemned("s9", 60).await.unwrap());
    catalog.acquit("s1").await.unwrap();
    assert_eq!(other.condemned().await.unwrap(), ["c"]);
    // What a dead sweep announced ends by itself.
    catalog.condemn("s3", "d", NO_LEASE).await.unwrap();
    assert!(!catalog.is_condemned("s3", 60).await.unwrap());
    assert_eq!(other.condemned().await.unwrap(), ["c"]);
}

async fn a_catalogue_has_one_name_in_its_bucket(engine: Engine) {
    let (catalog, other) = (&engine.catalog, engine.other_process().await);
    assert_eq!(catalog.known_bucket_owner().await.unwrap(), None);
    assert_eq!(catalog.bucket_owner("first").await.unwrap(), "first");
    assert_eq!(other.bucket_owner("second").await.unwrap(), "first");
    assert_eq!(other.known_bucket_owner().await.unwrap().as_deref(), Some("first"));
}
