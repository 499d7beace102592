use jingku_catalog::{
    AccountId, Catalog, DeleteImage, ImageChanges, Scope, ShareChanges, ShareImage, UpdateImage,
};

use crate::engines::{Engine, on_every_engine};
use crate::races::at_once;
use crate::setting::{NOW, account, create, instance, lab, make};

on_every_engine!(
    an_image_is_shared_and_unshared,
    accounts_are_listed_in_the_order_of_adding,
    one_invalid_account_rejects_all,
    only_an_own_available_image_is_shared,
    shares_are_bounded,
    a_deleted_image_is_not_shared,
    changes_bump_the_revisions_of_viewers,
    sharing_and_deleting_exclude_each_other,
    mutual_sharing_does_not_deadlock,
    the_bound_holds_under_concurrency,
);

/// The owner, with the image `image-a`, and other accounts.
async fn shared_setting(catalog: &Catalog, others: usize) -> (Scope, Vec<AccountId>) {
    let owner = lab(catalog).await;
    make(catalog, owner, "a", "vm", NOW).await;
    let mut accounts = Vec::new();
    for number in 0..others {
        accounts.push(account(catalog, &format!("other-{number}")).await.id);
    }
    (Scope::own(owner), accounts)
}

fn add(accounts: &[AccountId]) -> ShareChanges<'_> {
    ShareChanges { add: accounts, remove: &[], shares_max: 1000 }
}

fn remove(accounts: &[AccountId]) -> ShareChanges<'_> {
    ShareChanges { add: &[], remove: accounts, shares_max: 1000 }
}

async fn share(catalog: &Catalog, scope: Scope, changes: ShareChanges<'_>) -> ShareImage {
    catalog.share_image(scope, "image-a", changes, NOW).await.unwrap()
}

/// The accounts that the image is shared with.
async fn shares(catalog: &Catalog, scope: Scope) -> Vec<AccountId> {
    let shares = catalog.image_shares(scope, "image-a").await.unwrap().expect("there is the image");
    shares.into_iter().map(|share| share.account).collect()
}

async fn sees(catalog: &Catalog, account: AccountId) -> bool {
    catalog.image(Scope::shared_with(account), "image-a").await.unwrap().is_some()
}

async fn an_image_is_shared_and_unshared(Engine { catalog, .. }: Engine) {
    let (scope, others) = shared_setting(&catalog, 2).await;
    assert_eq!(shares(&catalog, scope).await, []);
    for _twice in 0..2 {
        assert_eq!(share(&catalog, scope, add(&others[..1])).await, ShareImage::Shared);
        assert_eq!(shares(&catalog, scope).await, others[..1]);
        assert_eq!((sees(&catalog, others[0]).await, sees(&catalog, others[1]).await), (true, false));
    }
    let swap = ShareChanges { add: &others[1..], remove: &others[..1], shares_max: 1 };
    assert_eq!(share(&catalog, scope, swap).await, ShareImage::Shared);
    assert_eq!((sees(&catalog, others[0]).await, sees(&catalog, others[1]).await), (false, true));
    for _twice in 0..2 {
        assert_eq!(share(&catalog, scope, remove(&others)).await, ShareImage::Shared);
        assert_eq!(shares(&catalog, scope).await, []);
        assert!(!sees(&catalog, others[1]).await);
    }
}

async fn accounts_are_listed_in_the_order_of_adding(Engine { catalog, .. }: Engine) {
    let (scope, others) = shared_setting(&catalog, 3).await;
    for (account, time) in
        [(others[2], NOW), (others[0], NOW + 1), (others[1], NOW + 2), (others[2], NOW + 3)]
    {
        catalog.share_image(scope, "image-a", add(&[account]), time).await.unwrap();
    }
    assert_eq!(shares(&catalog, scope).await, [others[2], others[0], others[1]]);
    let first = catalog.image_shares(scope, "image-a").await.unwrap().unwrap().remove(0);
    assert_eq!((first.account_name.as_str(), first.created_at), ("other-2", NOW));
}

async fn one_invalid_account_rejects_all(Engine { catalog, .. }: Engine) {
    let (scope, others) = shared_setting(&catalog, 2).await;
    assert_eq!(share(&catalog, scope, add(&others[..1])).await, ShareImage::Shared);
    let owner = AccountId(1);
    for bad in [AccountId(99), AccountId(-1), AccountId::PLATFORM, owner] {
        let invalid = ShareImage::Invalid(vec![bad]);
        assert_eq!(share(&catalog, scope, add(&[others[1], bad])).await, invalid);
        assert_eq!(share(&catalog, scope, remove(&[others[0], bad])).await, invalid);
        let both = ShareChanges { add: &others[1..], remove: &[bad], shares_max: 1000 };
        assert_eq!(share(&catalog, scope, both).await, invalid);
    }
    let several = [AccountId(98), others[1], owner];
    let invalid = ShareImage::Invalid(vec![AccountId(98), owner]);
    assert_eq!(share(&catalog, scope, add(&several)).await, invalid);
    assert_eq!(shares(&catalog, scope).await, others[..1]);
}

async fn only_an_own_available_image_is_shared(Engine { catalog, .. }: Engine) {
    let (scope, others) = shared_setting(&catalog, 2).await;
    let theirs = Scope::own(others[0]);
    // An invisible image looks nonexistent.
    assert_eq!(share(&catalog, theirs, add(&others[1..])).await, ShareImage::NotFound);
    let none = catalog.share_image(scope, "image-none", add(&others), NOW).await.unwrap();
    assert_eq!(none, ShareImage::NotFound);
    assert_eq!(catalog.image_shares(theirs, "image-a").await.unwrap(), None);
    assert_eq!(catalog.image_shares(scope, "image-none").await.unwrap(), None);

    assert_eq!(share(&catalog, scope, add(&others[..1])).await, ShareImage::Shared);
    assert_eq!(share(&catalog, theirs, add(&others[1..])).await, ShareImage::NotOwn);
    assert_eq!(share(&catalog, theirs, remove(&others[..1])).await, ShareImage::NotOwn);
    assert_eq!(catalog.image_shares(theirs, "image-a").await.unwrap(), None);

    create(&catalog, AccountId(1), "making", "vm").await;
    let making = catalog.share_image(scope, "image-making", add(&others), NOW).await.unwrap();
    assert_eq!(making, ShareImage::NotAvailable);
    assert_eq!(shares(&catalog, scope).await, others[..1]);
}

async fn shares_are_bounded(Engine { catalog, .. }: Engine) {
    let (scope, others) = shared_setting(&catalog, 3).await;
    let two = |accounts| ShareChanges { shares_max: 2, ..add(accounts) };
    assert_eq!(share(&catalog, scope, two(&others)).await, ShareImage::TooMany);
    assert_eq!(shares(&catalog, scope).await, []);
    assert_eq!(share(&catalog, scope, two(&others[..2])).await, ShareImage::Shared);
    assert_eq!(share(&catalog, scope, two(&others[..2])).await, ShareImage::Shared);
    assert_eq!(share(&catalog, scope, two(&others[2..])).await, ShareImage::TooMany);
    // Above a lowered bound, removing still works.
    let none = ShareChanges { shares_max: 0, ..remove(&others[..1]) };
    assert_eq!(share(&catalog, scope, none).await, ShareImage::Shared);
    assert_eq!(shares(&catalog, scope).await, [others[1]]);
}

async fn a_deleted_image_is_not_shared(Engine { catalog, .. }: Engine) {
    let (scope, others) = shared_setting(&catalog, 1).await;
    share(&catalog, scope, add(&others)).await;
    assert_eq!(catalog.delete_image(scope, "image-a", NOW).await.unwrap(), DeleteImage::Deleted);
    assert!(!sees(&catalog, others[0]).await);
    assert_eq!(catalog.image(Scope::visible_to(others[0]), "image-a").await.unwrap(), None);
    assert_eq!(catalog.image_shares(scope, "image-a").await.unwrap(), None);
    assert_eq!(share(&catalog, scope, add(&others)).await, ShareImage::NotFound);
    assert_eq!(share(&catalog, scope, remove(&others)).await, ShareImage::NotFound);
}

async fn changes_bump_the_revisions_of_viewers(Engine { catalog, .. }: Engine) {
    let (scope, others) = shared_setting(&catalog, 2).await;
    let revisions = async || {
        let mut revisions = Vec::new();
        for account in [AccountId(1), others[0], others[1]] {
            revisions.push(catalog.account_revision(account).await.unwrap().unwrap());
        }
        revisions
    };
    let mut last = revisions().await;
    let mut moved = async || {
        let new = revisions().await;
        let moved: Vec<bool> = last.iter().zip(&new).map(|(last, new)| last < new).collect();
        last = new;
        moved
    };
    share(&catalog, scope, add(&others[..1])).await;
    assert_eq!(moved().await, [true, true, false]);
    let changes = ImageChanges { name: Some("b"), ..ImageChanges::default() };
    assert_eq!(catalog.update_image(scope, "image-a", changes, NOW).await.unwrap(), UpdateImage::Updated);
    assert_eq!(moved().await, [true, true, false]);
    share(&catalog, scope, add(&[others[1], AccountId(99)])).await;
    assert_eq!(moved().await, [false; 3]);
    share(&catalog, scope, remove(&others[..1])).await;
    assert_eq!(moved().await, [true, true, false]);
    share(&catalog, scope, add(&others[1..])).await;
    assert_eq!(moved().await, [true, false, true]);
    catalog.delete_image(scope, "image-a", NOW).await.unwrap();
    assert_eq!(moved().await, [true, false, true]);
}

async fn sharing_and_deleting_exclude_each_other(engine: Engine) {
    let (scope, others) = shared_setting(&engine.catalog, 4).await;
    let receivers = others.clone();
    let outcomes = at_once(&engine, 9, move |catalog, number| {
        let accounts = receivers.clone();
        async move {
            if number == 4 {
                let deleted = catalog.delete_image(scope, "image-a", NOW).await.unwrap();
                assert_eq!(deleted, DeleteImage::Deleted);
                return true;
            }
            let account = [accounts[number % 4]];
            match share(&catalog, scope, add(&account)).await {
                ShareImage::Shared | ShareImage::NotFound => false,
                other => panic!("{other:?}"),
            }
        }
    })
    .await;
    assert_eq!(outcomes.iter().filter(|deleted| **deleted).count(), 1);
    for account in others {
        assert!(!sees(&engine.catalog, account).await);
    }
}

async fn mutual_sharing_does_not_deadlock(engine: Engine) {
    let mut accounts = Vec::new();
    for number in 0..4 {
        let owner = account(&engine.catalog, &format!("lab-{number}")).await.id;
        instance(&engine.catalog, owner, &format!("vm-{number}")).await;
        make(&engine.catalog, owner, &format!("{number}"), &format!("vm-{number}"), NOW).await;
        accounts.push(owner);
    }
    let named = accounts.clone();
    at_once(&engine, 40, move |catalog, number| {
        let accounts = named.clone();
        async move {
            let (owner, image) = (accounts[number % 4], format!("image-{}", number % 4));
            let others: Vec<AccountId> = accounts.into_iter().rev().filter(|other| *other != owner).collect();
            let changes = if number % 3 == 0 { remove(&others) } else { add(&others) };
            let scope = Scope::own(owner);
            assert_eq!(catalog.share_image(scope, &image, changes, NOW).await.unwrap(), ShareImage::Shared);
            let text = number.to_string();
            let changes = ImageChanges { description: Some(&text), ..ImageChanges::default() };
            assert_eq!(
                catalog.update_image(scope, &image, changes, NOW).await.unwrap(),
                UpdateImage::Updated
            );
        }
    })
    .await;
    for (number, owner) in accounts.into_iter().enumerate() {
        let shares =
            engine.catalog.image_shares(Scope::own(owner), &format!("image-{number}")).await.unwrap();
        assert!([0, 3].contains(&shares.unwrap().len()), "half of a change");
    }
}

async fn the_bound_holds_under_concurrency(engine: Engine) {
    let (scope, others) = shared_setting(&engine.catalog, 8).await;
    let outcomes = at_once(&engine, 8, move |catalog, number| {
        let account = [others[number]];
        async move { share(&catalog, scope, ShareChanges { shares_max: 3, ..add(&account) }).await }
    })
    .await;
    let shared = outcomes.iter().filter(|outcome| **outcome == ShareImage::Shared).count();
    assert_eq!((shared, shares(&engine.catalog, scope).await.len()), (3, 3));
    assert!(outcomes.iter().all(|outcome| matches!(outcome, ShareImage::Shared | ShareImage::TooMany)));
}
