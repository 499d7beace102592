use jingku_catalog::{
    AccountId, AccountLimits, BuiltImage, Catalog, CopyImage, CreateImage, JobEnd, Limit, NewCopy, OverLimit,
    RestoreImage, Scope,
};

use crate::engines::{Engine, on_every_engine};
use crate::setting::{NOW, account, claim, create, instance, lab, make};

on_every_engine!(
    every_way_to_create_an_image_respects_the_limit,
    trashed_images_are_limited,
    concurrent_copies_do_not_exceed_the_limit,
    stored_bytes_count_each_content_once,
    an_image_too_large_for_the_account_is_not_made,
    waiting_jobs_are_limited,
    an_account_can_have_its_own_limits,
);

async fn limited(catalog: &Catalog, limits: AccountLimits) -> (Catalog, AccountId) {
    let catalog = catalog.clone().with_account_limits(limits);
    let owner = lab(&catalog).await;
    (catalog, owner)
}

async fn copy(catalog: &Catalog, scope: Scope, of: &str, id: &str, owner: AccountId) -> CopyImage {
    let name = |_: &str, number: u32| (number == 0).then(|| id.to_owned());
    let copy =
        NewCopy { id, owner, name: &name, description: None, place: None, platform_type: "", request: None };
    catalog.copy_image(scope, of, copy, NOW).await.unwrap()
}

fn over(limit: Limit, used: i64, more: i64, max: i64) -> OverLimit {
    OverLimit { limit, used, more, max }
}

async fn state(catalog: &Catalog, owner: AccountId, limit: Limit) -> (i64, i64, bool) {
    let states = catalog.account_limits(owner).await.unwrap();
    let state = states.iter().find(|state| state.limit == limit).unwrap();
    (state.used, state.max, state.own)
}

async fn every_way_to_create_an_image_respects_the_limit(Engine { catalog, .. }: Engine) {
    let (catalog, owner) = limited(&catalog, AccountLimits { images: 3, ..AccountLimits::NONE }).await;
    let scope = Scope::own(owner);
    make(&catalog, owner, "a", "vm", NOW).await;
    assert_eq!(copy(&catalog, scope, "image-a", "b", owner).await, CopyImage::Copied("b".to_owned()));
    catalog.delete_image(scope, "b", NOW).await.unwrap();
    make(&catalog, owner, "c", "vm", NOW).await;
    make(&catalog, owner, "d", "vm", NOW).await;
    let over = over(Limit::Images, 3, 1, 3);
    assert_eq!(create(&catalog, owner, "e", "vm").await, CreateImage::OverLimit(over));
    assert_eq!(copy(&catalog, scope, "image-a", "f", owner).await, CopyImage::OverLimit(over));
    assert_eq!(catalog.restore_image("b", None, NOW).await.unwrap(), RestoreImage::OverLimit(over));
    // The platform has no limits.
    let promoted = copy(&catalog, scope, "image-a", "p", AccountId::PLATFORM).await;
    assert_eq!(promoted, CopyImage::Copied("p".to_owned()));
    catalog.delete_image(scope, "image-d", NOW).await.unwrap();
    assert_eq!(catalog.restore_image("b", None, NOW).await.unwrap(), RestoreImage::Restored("b".to_owned()));
}

async fn trashed_images_are_limited(Engine { catalog, .. }: Engine) {
    let limits = AccountLimits { images: 2, trashed: 3, ..AccountLimits::NONE };
    let (catalog, owner) = limited(&catalog, limits).await;
    let scope = Scope::own(owner);
    make(&catalog, owner, "a", "vm", NOW).await;
    for id in ["b", "c", "d"] {
        assert_eq!(copy(&catalog, scope, "image-a", id, owner).await, CopyImage::Copied(id.to_owned()));
        catalog.delete_image(scope, id, NOW).await.unwrap();
    }
    let full = over(Limit::Trashed, 3, 1, 3);
    assert_eq!(copy(&catalog, scope, "image-a", "e", owner).await, CopyImage::OverLimit(full));
    assert_eq!(create(&catalog, owner, "e", "vm").await, CreateImage::OverLimit(full));
    catalog.restore_image("b", None, NOW).await.unwrap();
    catalog.delete_image(scope, "b", NOW).await.unwrap();
    assert!(catalog.purge_image("c", NOW).await.unwrap());
    assert_eq!(create(&catalog, owner, "e", "vm").await, CreateImage::Created);
}

async fn concurrent_copies_do_not_exceed_the_limit(engine: Engine) {
    let (catalog, owner) = limited(&engine.catalog, AccountLimits { images: 5, ..AccountLimits::NONE }).await;
    make(&catalog, owner, "a", "vm", NOW).await;
    let mut copying = Vec::new();
    for number in 0..12 {
        // One process per copy.
        let catalog = engine
            .other_process()
            .await
            .with_account_limits(AccountLimits { images: 5, ..AccountLimits::NONE });
        copying.push(tokio::spawn(async move {
            copy(&catalog, Scope::own(owner), "image-a", &format!("copy-{number}"), owner).await
        }));
    }
    let mut copied = 0;
    for one in copying {
        copied += i64::from(matches!(one.await.unwrap(), CopyImage::Copied(_)));
    }
    assert_eq!((copied, state(&catalog, owner, Limit::Images).await), (4, (5, 5, false)));
}

async fn stored_bytes_count_each_content_once(Engine { catalog, .. }: Engine) {
    let (catalog, owner) = limited(&catalog, AccountLimits { stored_bytes: 12, ..AccountLimits::NONE }).await;
    let scope = Scope::own(owner);
    // 5 bytes each, all with the same manifest.
    make(&catalog, owner, "a", "vm", NOW).await;
    make(&catalog, owner, "b", "vm", NOW).await;
    copy(&catalog, scope, "image-a", "c", owner).await;
    assert_eq!(state(&catalog, owner, Limit::StoredBytes).await, (5, 12, false));
    // No account gets the content of another.
    let other = account(&catalog, "other").await.id;
    assert_eq!(copy(&catalog, Scope::everybody(), "image-a", "d", other).await, CopyImage::NotFound);
    // It counts in the trash, but not after a purge.
    for id in ["image-a", "image-b", "c"] {
        catalog.delete_image(scope, id, NOW).await.unwrap();
        assert_eq!(state(&catalog, owner, Limit::StoredBytes).await.0, 5);
    }
    for id in ["image-a", "image-b", "c"] {
        assert!(catalog.purge_image(id, NOW).await.unwrap());
    }
    assert_eq!(state(&catalog, owner, Limit::StoredBytes).await.0, 0);
}

/// The data size of a disk is known after reading it.
async fn an_image_too_large_for_the_account_is_not_made(Engine { catalog, .. }: Engine) {
    let (catalog, owner) = limited(&catalog, AccountLimits { stored_bytes: 12, ..AccountLimits::NONE }).await;
    make(&catalog, owner, "a", "vm", NOW).await;
    create(&catalog, owner, "b", "vm").await;
    let job = claim(&catalog, "worker", NOW).await.unwrap();
    let sparse = |data_bytes| BuiltImage { data_bytes, ..BuiltImage::dense("m2", 1 << 40) };
    let end = catalog.complete_job(&job, sparse(8), NOW).await.unwrap();
    assert_eq!(end, JobEnd::OverLimit(over(Limit::StoredBytes, 5, 8, 12)));
    assert_eq!(catalog.complete_job(&job, sparse(7), NOW).await.unwrap(), JobEnd::Ended);
    let full = CreateImage::OverLimit(over(Limit::StoredBytes, 12, 1, 12));
    assert_eq!(create(&catalog, owner, "c", "vm").await, full);
    let copied = copy(&catalog, Scope::own(owner), "image-b", "d", owner).await;
    assert_eq!(copied, CopyImage::Copied("d".to_owned()), "it takes no byte more");
}

async fn waiting_jobs_are_limited(Engine { catalog, .. }: Engine) {
    let (catalog, owner) = limited(&catalog, AccountLimits { jobs: 2, ..AccountLimits::NONE }).await;
    for vm in ["vm-2", "vm-3"] {
        instance(&catalog, owner, vm).await;
    }
    create(&catalog, owner, "a", "vm").await;
    create(&catalog, owner, "b", "vm-2").await;
    let full = CreateImage::OverLimit(over(Limit::Jobs, 2, 1, 2));
    assert_eq!(create(&catalog, owner, "c", "vm-3").await, full);
    let job = claim(&catalog, "worker", NOW).await.unwrap();
    assert_eq!(create(&catalog, owner, "c", "vm-3").await, full);
    catalog.complete_job(&job, BuiltImage::dense("m", 5), NOW).await.unwrap();
    assert_eq!(create(&catalog, owner, "c", "vm-3").await, CreateImage::Created);
}

async fn an_account_can_have_its_own_limits(Engine { catalog, .. }: Engine) {
    let (catalog, owner) = limited(&catalog, AccountLimits { images: 1, ..AccountLimits::NONE }).await;
    let set = async |max| catalog.set_account_limits(owner, &[(Limit::Images, max)]).await.unwrap();
    assert_eq!(state(&catalog, owner, Limit::Images).await, (0, 1, false));
    assert!(set(Some(0)).await);
    assert_eq!(state(&catalog, owner, Limit::Images).await, (0, 0, true));
    let full = CreateImage::OverLimit(over(Limit::Images, 0, 1, 0));
    assert_eq!(create(&catalog, owner, "a", "vm").await, full);
    assert!(set(None).await);
    assert_eq!(create(&catalog, owner, "a", "vm").await, CreateImage::Created);
    for nobody in [AccountId(99), AccountId::PLATFORM] {
        assert!(!catalog.set_account_limits(nobody, &[(Limit::Images, Some(9))]).await.unwrap());
    }
}
