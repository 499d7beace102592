//! Tasks that one server does for all.

use crate::engines::{Engine, on_every_engine};
use crate::setting::LEASE_SECS;

/// A lease that has ended when the next statement runs.
const EXPIRED_SECS: i64 = -10;

on_every_engine!(one_process_has_a_task, only_the_last_lease_changes_the_state);

async fn one_process_has_a_task(engine: Engine) {
    let (a, b) = (engine.catalog.clone().with_host("a"), engine.other_process().await.with_host("b"));
    assert_eq!(a.lease_task("sweep", "p1", LEASE_SECS).await.unwrap(), Some(1));
    assert_eq!(b.lease_task("sweep", "p2", LEASE_SECS).await.unwrap(), None);
    assert_eq!(b.lease_task("scrub", "p2", LEASE_SECS).await.unwrap(), Some(1));
    let tasks = b.tasks().await.unwrap();
    let shown: Vec<_> = tasks.iter().map(|task| (&*task.name, &*task.host, task.left_secs > 0)).collect();
    assert_eq!(shown, [("scrub", "b", true), ("sweep", "a", true)]);
    // It expires while its process is renewed in vain.
    assert!(a.renew_task("sweep", 1, EXPIRED_SECS).await.unwrap());
    assert_eq!(b.lease_task("sweep", "p2", LEASE_SECS).await.unwrap(), Some(2));
    assert!(!a.renew_task("sweep", 1, LEASE_SECS).await.unwrap());
    // The late end of the first lease does not end the second.
    a.end_task("sweep", 1).await.unwrap();
    assert_eq!(a.lease_task("sweep", "p1", LEASE_SECS).await.unwrap(), None);
    b.end_task("sweep", 2).await.unwrap();
    assert_eq!(a.lease_task("sweep", "p1", LEASE_SECS).await.unwrap(), Some(3));
    // A server that stops ends its leases.
    a.leave_host("p1").await.unwrap();
    assert_eq!(b.lease_task("sweep", "p2", LEASE_SECS).await.unwrap(), Some(4));
}

async fn only_the_last_lease_changes_the_state(Engine { catalog, .. }: Engine) {
    assert_eq!(catalog.task_state("sweep").await.unwrap(), "");
    // A command without a lease.
    assert!(catalog.set_task_state("sweep", None, "first").await.unwrap());
    assert_eq!(catalog.lease_task("sweep", "p1", EXPIRED_SECS).await.unwrap(), Some(1));
    assert!(catalog.set_task_state("sweep", Some(1), "second").await.unwrap());
    assert_eq!(catalog.lease_task("sweep", "p2", LEASE_SECS).await.unwrap(), Some(2));
    assert!(!catalog.set_task_state("sweep", Some(1), "third").await.unwrap());
    assert_eq!(catalog.task_state("sweep").await.unwrap(), "second");
    assert!(catalog.set_task_state("sweep", Some(2), "fourth").await.unwrap());
    assert_eq!(catalog.task_state("sweep").await.unwrap(), "fourth");
}
