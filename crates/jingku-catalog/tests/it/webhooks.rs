//! Events of images and their deliveries.

use jingku_catalog::{
    AccountId, AttemptEnd, Catalog, Delivery, DeliveryState, ImageEvent, NewWebhook, RestoreImage, Scope,
    ShareChanges, WAITING_DELIVERIES_MAX, WEBHOOKS_MAX,
};

use crate::engines::{Engine, on_every_engine};
use crate::setting::{NOW, account, claim, create, lab, make, make_public};

/// How long an attempt may take.
const SECS: i64 = 60;

on_every_engine!(
    every_event_is_queued_for_the_webhooks_of_its_account,
    a_webhook_has_one_delivery_at_a_time,
    a_delivery_waits_between_attempts_and_dies,
    too_many_waiting_deliveries_are_dropped,
    webhooks_belong_to_an_account
);

async fn webhook(catalog: &Catalog, account: AccountId, id: &str, events: &[ImageEvent]) -> bool {
    let new = NewWebhook { id, account, url: "https://ci.example/hook", events, secret: "sealed" };
    catalog.create_webhook(new, NOW).await.unwrap()
}

async fn deliveries(catalog: &Catalog, account: AccountId, webhook: &str) -> Vec<Delivery> {
    let mut found = catalog.deliveries(account, webhook, None, None, 100).await.unwrap().unwrap();
    found.reverse();
    found
}

async fn every_event_is_queued_for_the_webhooks_of_its_account(Engine { catalog, .. }: Engine) {
    let owner = lab(&catalog).await;
    let other = account(&catalog, "other").await.id;
    webhook(&catalog, owner, "all", &ImageEvent::ALL).await;
    webhook(&catalog, owner, "failures", &[ImageEvent::Failed]).await;
    webhook(&catalog, other, "others", &ImageEvent::ALL).await;

    make(&catalog, owner, "a", "vm", NOW).await;
    create(&catalog, owner, "b", "vm").await;
    let job = claim(&catalog, "maker", NOW).await.unwrap();
    catalog.fail_job(&job, "The disk is gone.", NOW + 1).await.unwrap();
    let own = Scope::own(owner);
    let share = ShareChanges { add: &[other], remove: &[], shares_max: 10 };
    catalog.share_image(own, "image-a", share, NOW + 2).await.unwrap();
    // It is shared already.
    catalog.share_image(own, "image-a", share, NOW + 3).await.unwrap();
    catalog.delete_image(own, "image-a", NOW + 4).await.unwrap();
    let restored = catalog.restore_image("image-a", None, NOW + 5).await.unwrap();
    assert_eq!(restored, RestoreImage::Restored("a".to_owned()));
    make_public(&catalog, owner, "c", "group", NOW + 6).await;

    let queued = deliveries(&catalog, owner, "all").await;
    let events: Vec<_> =
        queued.iter().map(|one| (one.event, &*one.image_name, one.occurred_at - NOW)).collect();
    let expected = [
        (ImageEvent::Available, "a", 0),
        (ImageEvent::Failed, "b", 1),
        (ImageEvent::Shared, "a", 2),
        (ImageEvent::Deleted, "a", 4),
        (ImageEvent::Restored, "a", 5),
        (ImageEvent::Available, "c", 6),
        (ImageEvent::Published, "c", 6),
    ];
    assert_eq!(events, expected);
    assert_eq!((&*queued[1].image_status, &*queued[1].failed_reason), ("UnAvailable", "The disk is gone."));
    assert_eq!(queued[2].accounts, [other.0]);
    assert_eq!((queued[0].image_id.as_str(), queued[0].size_bytes), ("image-a", 5));
    let failures = deliveries(&catalog, owner, "failures").await;
    assert_eq!(failures.iter().map(|one| one.event).collect::<Vec<_>>(), [ImageEvent::Failed]);
    assert_eq!(deliveries(&catalog, other, "others").await, []);
}

async fn a_webhook_has_one_delivery_at_a_time(engine: Engine) {
    let (catalog, second) = (engine.catalog.clone(), engine.other_process().await);
    let owner = lab(&catalog).await;
    webhook(&catalog, owner, "hook", &ImageEvent::ALL).await;
    assert_eq!(catalog.claim_delivery(NOW, SECS).await.unwrap(), None);
    for (name, now) in [("a", NOW), ("b", NOW + 1)] {
        make(&catalog, owner, name, "vm", now).await;
    }
    let (hook, first) = catalog.claim_delivery(NOW + 1, SECS).await.unwrap().unwrap();
    assert_eq!((&*hook.id, &*first.image_name, first.attempts), ("hook", "a", 0));
    assert_eq!(second.claim_delivery(NOW + 1, SECS).await.unwrap(), None);
    catalog.end_attempt(&first, AttemptEnd::Delivered, "200", NOW + 2).await.unwrap();
    let (_, next) = second.claim_delivery(NOW + 2, SECS).await.unwrap().unwrap();
    assert_eq!(next.image_name, "b");
    // A server that dies in the middle loses its claim.
    second.end_attempt(&next, AttemptEnd::Retry(NOW + 3), "timeout", NOW + 2).await.unwrap();
    catalog.claim_delivery(NOW + 3, -1).await.unwrap().unwrap();
    let (_, again) = second.claim_delivery(NOW + 3, SECS).await.unwrap().unwrap();
    assert_eq!((again.id, again.attempts, &*again.answer), (next.id, 1, "timeout"));
}

async fn a_delivery_waits_between_attempts_and_dies(Engine { catalog, .. }: Engine) {
    let owner = lab(&catalog).await;
    webhook(&catalog, owner, "hook", &ImageEvent::ALL).await;
    make(&catalog, owner, "a", "vm", NOW).await;
    let (_, delivery) = catalog.claim_delivery(NOW, SECS).await.unwrap().unwrap();
    catalog.end_attempt(&delivery, AttemptEnd::Retry(NOW + 30), "503", NOW + 1).await.unwrap();
    assert_eq!(catalog.claim_delivery(NOW + 29, SECS).await.unwrap(), None);
    let (_, delivery) = catalog.claim_delivery(NOW + 30, SECS).await.unwrap().unwrap();
    catalog.end_attempt(&delivery, AttemptEnd::Dead, "503", NOW + 31).await.unwrap();
    assert_eq!(catalog.claim_delivery(i64::MAX, SECS).await.unwrap(), None);
    let dead = catalog.deliveries(owner, "hook", Some(DeliveryState::Dead), None, 10).await.unwrap().unwrap();
    let [dead] = &dead[..] else { panic!("{dead:?}") };
    assert_eq!((dead.attempts, dead.time, &*dead.answer), (2, NOW + 31, "503"));
    // On request it is sent again.
    assert!(catalog.retry_delivery(owner, dead.id, NOW + 40).await.unwrap());
    let (_, again) = catalog.claim_delivery(NOW + 40, SECS).await.unwrap().unwrap();
    assert_eq!((again.id, again.attempts), (dead.id, 0));
    catalog.end_attempt(&again, AttemptEnd::Delivered, "204", NOW + 41).await.unwrap();
    assert_eq!(catalog.prune_deliveries(NOW + 41, 10).await.unwrap(), 0);
    assert_eq!(catalog.prune_deliveries(NOW + 42, 10).await.unwrap(), 1);
    assert_eq!(deliveries(&catalog, owner, "hook").await, []);
}

async fn too_many_waiting_deliveries_are_dropped(Engine { catalog, .. }: Engine) {
    let owner = lab(&catalog).await;
    let other = account(&catalog, "other").await.id;
    webhook(&catalog, owner, "hook", &[ImageEvent::Shared]).await;
    make(&catalog, owner, "a", "vm", NOW).await;
    for number in 0..=WAITING_DELIVERIES_MAX {
        for (add, remove) in [(&[other][..], &[][..]), (&[], &[other])] {
            let change = ShareChanges { add, remove, shares_max: 10 };
            catalog.share_image(Scope::own(owner), "image-a", change, NOW + number).await.unwrap();
        }
    }
    let hooks = catalog.webhooks(owner).await.unwrap();
    assert_eq!(hooks[0].dropped, 1);
    let (_, first) = catalog.claim_delivery(NOW, SECS).await.unwrap().unwrap();
    assert_eq!(first.occurred_at, NOW);
}

async fn webhooks_belong_to_an_account(Engine { catalog, .. }: Engine) {
    let owner = lab(&catalog).await;
    let other = account(&catalog, "other").await.id;
    for number in 0..WEBHOOKS_MAX {
        assert!(webhook(&catalog, owner, &format!("hook-{number}"), &ImageEvent::ALL).await);
    }
    assert!(!webhook(&catalog, owner, "more", &ImageEvent::ALL).await);
    make(&catalog, owner, "a", "vm", NOW).await;
    let queued = deliveries(&catalog, owner, "hook-0").await;
    assert_eq!(catalog.webhooks(other).await.unwrap(), []);
    assert_eq!(catalog.deliveries(other, "hook-0", None, None, 10).await.unwrap(), None);
    assert!(!catalog.retry_delivery(other, queued[0].id, NOW).await.unwrap());
    assert!(!catalog.delete_webhook(other, "hook-0").await.unwrap());
    assert!(catalog.delete_webhook(owner, "hook-0").await.unwrap());
    assert!(!catalog.delete_webhook(owner, "hook-0").await.unwrap());
    assert!(!catalog.retry_delivery(owner, queued[0].id, NOW).await.unwrap());
    assert_eq!(catalog.webhooks(owner).await.unwrap().len(), 7);
}
