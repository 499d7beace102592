//! The community under concurrent changes: of two exclusive changes, one happens.

use jingku_catalog::{
    AccountId, Catalog, DeleteImage, GroupFilter, GroupOrder, ImageChanges, ImageFilter, Paging, Publication,
    PublishImage, PublishRefusal, Scope,
};

use crate::engines::{Engine, on_every_engine};
use crate::races::{at_once, count};
use crate::setting::{NOW, account, instance, lab, make, make_public, submission};

on_every_engine!(
    an_image_is_published_or_deleted,
    concurrent_approval_and_unpublishing_leave_a_consistent_group,
    concurrent_versions_get_a_name_once,
    concurrent_versions_get_unique_names,
    favourites_are_counted_once_each,
);

/// Compares the summary of a group with its versions.
async fn assert_true_facts(catalog: &Catalog, owner: AccountId) {
    let scope = Scope::own(owner);
    let order = GroupOrder::default();
    let page =
        catalog.groups_page(scope, owner, GroupFilter::default(), order, Paging::first(100)).await.unwrap();
    for group in page.items {
        let images =
            catalog.images_page(scope, ImageFilter::default(), Paging::first(100)).await.unwrap().items;
        let public =
            images.iter().filter(|image| image.group_id == group.id && image.visibility == 1).count();
        assert_eq!(group.public_versions, i64::try_from(public).unwrap());
        assert!(images.iter().all(|image| image.visibility == 0 || image.manifest.is_some()));
    }
}

async fn an_image_is_published_or_deleted(engine: Engine) {
    let owner = lab(&engine.catalog).await;
    let scope = Scope::own(owner);
    for round in 0..5 {
        let name = round.to_string();
        make(&engine.catalog, owner, &name, "vm", NOW).await;
        let outcomes = at_once(&engine, 6, move |catalog, number| {
            let (id, group) = (format!("image-{round}"), format!("g-{round}-{number}"));
            async move {
                if number % 2 == 0 {
                    let published = catalog
                        .publish_image(
                            scope,
                            &id,
                            submission(&group, true),
                            ImageChanges::default(),
                            None,
                            NOW,
                        )
                        .await
                        .unwrap();
                    matches!(published, PublishImage::Published(_))
                } else {
                    catalog.delete_image(scope, &id, NOW).await.unwrap() == DeleteImage::Deleted
                }
            }
        })
        .await;
        assert_eq!(count(&outcomes, &true), 1, "either one publication or one deletion");
        assert_true_facts(&engine.catalog, owner).await;
    }
}

async fn concurrent_approval_and_unpublishing_leave_a_consistent_group(engine: Engine) {
    let owner = lab(&engine.catalog).await;
    let scope = Scope::own(owner);
    for round in 0..5 {
        let (name, group) = (round.to_string(), format!("g-{round}"));
        make(&engine.catalog, owner, &name, "vm", NOW).await;
        let waiting = format!("image-{round}");
        let submission = submission(&group, false);
        engine
            .catalog
            .publish_image(scope, &waiting, submission, ImageChanges::default(), None, NOW)
            .await
            .unwrap();
        at_once(&engine, 4, move |catalog, number| {
            let id = format!("image-{round}");
            async move {
                if number % 2 == 0 {
                    return catalog.approve_image(&id, NOW).await.unwrap();
                }
                let down =
                    ImageChanges { publication: Some(Publication::Private), ..ImageChanges::default() };
                catalog.update_image(scope, &id, down, NOW).await.unwrap();
                true
            }
        })
        .await;
        // In either order, it was unpublished after its submission.
        assert_eq!(engine.catalog.image(Scope::published(), &waiting).await.unwrap(), None);
        assert_true_facts(&engine.catalog, owner).await;
    }
}

async fn publish_into_one_group(engine: &Engine, version: Option<&'static str>) -> Vec<PublishImage> {
    let owner = lab(&engine.catalog).await;
    make_public(&engine.catalog, owner, "first", "g", NOW).await;
    for number in 0..8 {
        make(&engine.catalog, owner, &number.to_string(), "vm", NOW).await;
    }
    let outcomes = at_once(engine, 8, move |catalog, number| async move {
        let changes = ImageChanges { group_id: Some("g"), version_name: version, ..ImageChanges::default() };
        let (scope, id) = (Scope::own(owner), format!("image-{number}"));
        catalog.publish_image(scope, &id, submission("unused", true), changes, None, NOW).await.unwrap()
    })
    .await;
    assert_true_facts(&engine.catalog, owner).await;
    outcomes
}

async fn concurrent_versions_get_a_name_once(engine: Engine) {
    let outcomes = publish_into_one_group(&engine, Some("v2.0")).await;
    assert_eq!(count(&outcomes, &PublishImage::Published("g".to_owned())), 1);
    assert_eq!(count(&outcomes, &PublishImage::Refused(PublishRefusal::VersionTaken("v2.0".to_owned()))), 7);
}

async fn concurrent_versions_get_unique_names(engine: Engine) {
    let outcomes = publish_into_one_group(&engine, None).await;
    assert_eq!(count(&outcomes, &PublishImage::Published("g".to_owned())), 8);
    let page = engine
        .catalog
        .images_page(Scope::published(), ImageFilter::default(), Paging::first(100))
        .await
        .unwrap();
    let mut names: Vec<_> = page.items.into_iter().map(|image| image.version_name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 9);
}

async fn favourites_are_counted_once_each(engine: Engine) {
    let owner = account(&engine.catalog, "lab").await.id;
    let mut fans = Vec::new();
    for number in 0..4 {
        fans.push(account(&engine.catalog, &format!("fan-{number}")).await.id);
    }
    instance(&engine.catalog, owner, "vm").await;
    make_public(&engine.catalog, owner, "a", "g", NOW).await;
    let marked = fans.clone();
    let outcomes = at_once(&engine, 16, move |catalog, number| {
        let fan = marked[number % 4];
        async move { catalog.add_favorite(fan, "g", NOW).await.unwrap() }
    })
    .await;
    assert_eq!(count(&outcomes, &true), 16);
    let counted =
        async || engine.catalog.image(Scope::own(owner), "image-a").await.unwrap().unwrap().favorites_count;
    assert_eq!(counted().await, 4);
    at_once(&engine, 12, move |catalog, number| {
        let fan = fans[number % 3];
        async move { catalog.remove_favorite(fan, "g").await.unwrap() }
    })
    .await;
    assert_eq!(counted().await, 1);
}
