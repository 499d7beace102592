//! Publishing, review, and the summary of a group.

use jingku_catalog::{
    Catalog, DeleteImage, Group, GroupFilter, GroupOrder, Image, ImageChanges, ImageStatus, Paging,
    Publication, PublishImage, PublishRefusal, Scope, Submission, UpdateImage,
};

use crate::engines::{Engine, on_every_engine};
use crate::setting::{NOW, account, create, instance, lab, make, make_public, publish, submission};

on_every_engine!(
    an_image_is_in_review_until_approved,
    a_rejected_image_can_be_submitted_again,
    only_complete_private_images_are_published,
    a_rejected_submission_changes_nothing,
    version_names_are_unique_in_a_group,
    a_group_shows_its_newest_public_version,
    a_listed_image_is_not_deleted_until_unpublished,
    an_image_is_published_and_unpublished_repeatedly,
    a_version_moves_to_another_group,
);

const NOTHING: ImageChanges<'static> = ImageChanges {
    name: None,
    description: None,
    tags: None,
    cover: None,
    readme: None,
    publication: None,
    price_cents: None,
    auto_start: None,
    softwares: None,
    supported_gpu_types: None,
    software_ports: None,
    firewall_ports: None,
    group_id: None,
    version_name: None,
    version_desc: None,
};

async fn image(catalog: &Catalog, scope: Scope, id: &str) -> Image {
    catalog.image(scope, id).await.unwrap().unwrap()
}

/// The groups in a scope, as seen by their owner.
async fn groups(catalog: &Catalog, scope: Scope) -> Vec<Group> {
    let order = GroupOrder::default();
    let viewer = jingku_catalog::AccountId(1);
    let page =
        catalog.groups_page(scope, viewer, GroupFilter::default(), order, Paging::first(100)).await.unwrap();
    assert_eq!(page.total, i64::try_from(page.items.len()).unwrap());
    page.items
}

async fn an_image_is_in_review_until_approved(Engine { catalog, .. }: Engine) {
    let owner = lab(&catalog).await;
    make(&catalog, owner, "a", "vm", NOW).await;
    let scope = Scope::own(owner);
    let revision = catalog.account_revision(owner).await.unwrap();
    let changes = ImageChanges { price_cents: Some(150), tags: Some(&["LLM"]), ..NOTHING };
    let published =
        catalog.publish_image(scope, "image-a", submission("g", false), changes, None, NOW + 1).await;
    assert_eq!(published.unwrap(), PublishImage::Published("g".to_owned()));
    assert!(catalog.account_revision(owner).await.unwrap() > revision);

    let waiting = image(&catalog, scope, "image-a").await;
    assert_eq!((waiting.status, waiting.visibility, waiting.pub_time), (ImageStatus::Reviewing, 0, 0));
    assert_eq!((&*waiting.group_id, &*waiting.version_name, waiting.price_cents), ("g", "v1.0", 150));
    assert_eq!(groups(&catalog, Scope::published()).await, []);
    let own = groups(&catalog, scope).await;
    assert_eq!((&*own[0].name, own[0].public_versions), ("a", 0));
    let reviews = catalog.reviews(10).await.unwrap();
    assert_eq!(reviews.len(), 1);
    assert_eq!(
        (&*reviews[0].image.id, &*reviews[0].image.owner_name, reviews[0].submitted_at),
        ("image-a", "lab", NOW + 1)
    );
    assert_eq!(
        (&*reviews[0].community_name, reviews[0].image.price_cents, reviews[0].image.tags.len()),
        ("a", 150, 1)
    );

    let revision = catalog.account_revision(owner).await.unwrap();
    assert!(catalog.approve_image("image-a", NOW + 2).await.unwrap());
    assert!(!catalog.approve_image("image-a", NOW + 3).await.unwrap());
    assert!(!catalog.approve_image("none", NOW + 3).await.unwrap());
    assert!(catalog.account_revision(owner).await.unwrap() > revision);
    let public = image(&catalog, Scope::published(), "image-a").await;
    assert_eq!((public.status, public.visibility, public.pub_time), (ImageStatus::Available, 1, NOW + 2));
    let seen = groups(&catalog, Scope::published()).await;
    assert_eq!((seen[0].public_versions, seen[0].pub_time, seen[0].price_cents), (1, NOW + 2, 150));
    assert_eq!(catalog.reviews(10).await.unwrap(), []);
    assert_eq!(catalog.tags_in_use(Scope::published()).await.unwrap(), ["LLM"]);
}

async fn a_rejected_image_can_be_submitted_again(Engine { catalog, .. }: Engine) {
    let owner = lab(&catalog).await;
    make(&catalog, owner, "a", "vm", NOW).await;
    let scope = Scope::own(owner);
    let publish = async |group, approve| {
        catalog.publish_image(scope, "image-a", submission(group, approve), NOTHING, None, NOW).await.unwrap()
    };
    publish("g", false).await;
    assert!(catalog.refuse_image("image-a", "No description.", NOW).await.unwrap());
    assert!(!catalog.refuse_image("image-a", "Again.", NOW).await.unwrap());
    let refused = image(&catalog, scope, "image-a").await;
    assert_eq!((refused.status, &*refused.failed_reason), (ImageStatus::Offline, "No description."));
    assert!(refused.manifest.is_some());
    // It stays in its group and keeps its version name.
    assert_eq!(publish("other", true).await, PublishImage::Published("g".to_owned()));
    let public = image(&catalog, Scope::published(), "image-a").await;
    assert_eq!((&*public.version_name, &*public.failed_reason), ("v1.0", ""));
}

async fn only_complete_private_images_are_published(Engine { catalog, .. }: Engine) {
    let owner = account(&catalog, "lab").await.id;
    let other = account(&catalog, "other").await.id;
    instance(&catalog, owner, "vm").await;
    make(&catalog, owner, "a", "vm", NOW).await;
    create(&catalog, owner, "b", "vm").await;
    let publish = async |account, id, submission| {
        catalog.publish_image(Scope::own(account), id, submission, NOTHING, None, NOW).await.unwrap()
    };
    assert_eq!(publish(owner, "none", submission("g", false)).await, PublishImage::NotFound);
    assert_eq!(publish(other, "image-a", submission("g", false)).await, PublishImage::NotFound);
    assert_eq!(
        publish(owner, "image-b", submission("g", false)).await,
        PublishImage::Refused(PublishRefusal::NotAvailable)
    );
    let strict = Submission { containers_only: true, ..submission("g", false) };
    assert_eq!(
        publish(owner, "image-a", strict).await,
        PublishImage::Refused(PublishRefusal::NotFromContainer)
    );
    publish(owner, "image-a", submission("g", false)).await;
    assert_eq!(publish(owner, "image-a", submission("g", false)).await, PublishImage::AlreadyPublished);
    catalog.approve_image("image-a", NOW).await.unwrap();
    assert_eq!(publish(owner, "image-a", submission("g", false)).await, PublishImage::AlreadyPublished);
}

async fn a_rejected_submission_changes_nothing(Engine { catalog, .. }: Engine) {
    let owner = account(&catalog, "lab").await.id;
    let other = account(&catalog, "other").await.id;
    instance(&catalog, owner, "vm").await;
    make_public(&catalog, owner, "a", "g", NOW).await;
    make(&catalog, owner, "b", "vm", NOW).await;
    let scope = Scope::own(owner);
    let before = (image(&catalog, scope, "image-b").await, groups(&catalog, scope).await);
    for (changes, refusal) in [
        (
            ImageChanges { group_id: Some("none"), ..NOTHING },
            PublishImage::Refused(PublishRefusal::GroupNotFound),
        ),
        (
            ImageChanges { group_id: Some("g"), version_name: Some("v1.0"), ..NOTHING },
            PublishImage::Refused(PublishRefusal::VersionTaken("v1.0".to_owned())),
        ),
    ] {
        let changes = ImageChanges { description: Some("lost"), ..changes };
        let published =
            catalog.publish_image(scope, "image-b", submission("h", true), changes, None, NOW + 5).await;
        assert_eq!(published.unwrap(), refusal);
        assert_eq!((image(&catalog, scope, "image-b").await, groups(&catalog, scope).await), before);
    }
    // A group of another account looks nonexistent.
    instance(&catalog, other, "vm-2").await;
    make(&catalog, other, "c", "vm-2", NOW).await;
    let changes = ImageChanges { group_id: Some("g"), ..NOTHING };
    let published =
        catalog.publish_image(Scope::own(other), "image-c", submission("h", true), changes, None, NOW).await;
    assert_eq!(published.unwrap(), PublishImage::Refused(PublishRefusal::GroupNotFound));
    assert_eq!(groups(&catalog, Scope::own(other)).await, []);
}

async fn version_names_are_unique_in_a_group(Engine { catalog, .. }: Engine) {
    let owner = lab(&catalog).await;
    let scope = Scope::own(owner);
    let into = ImageChanges { group_id: Some("g"), ..NOTHING };
    make_public(&catalog, owner, "a", "g", NOW).await;
    for name in ["b", "c", "d"] {
        make(&catalog, owner, name, "vm", NOW).await;
    }
    publish(&catalog, owner, "image-b", "g", into, NOW + 1).await;
    assert_eq!(image(&catalog, scope, "image-b").await.version_name, "v2.0");
    publish(&catalog, owner, "image-c", "g", ImageChanges { version_name: Some("v9.0"), ..into }, NOW + 2)
        .await;
    publish(&catalog, owner, "image-d", "g", into, NOW + 3).await;
    assert_eq!(image(&catalog, scope, "image-d").await.version_name, "v10.0");

    let rename = async |name| {
        let changes = ImageChanges { version_name: Some(name), ..NOTHING };
        catalog.update_image(scope, "image-d", changes, NOW).await.unwrap()
    };
    assert_eq!(rename("v1.0").await, UpdateImage::Refused(PublishRefusal::VersionTaken("v1.0".to_owned())));
    assert_eq!(rename("v10.0").await, UpdateImage::Updated);
    assert_eq!(rename("v11.0").await, UpdateImage::Updated);
    // Deleting a version frees its name.
    let down = ImageChanges { publication: Some(Publication::Private), ..NOTHING };
    catalog.update_image(scope, "image-a", down, NOW).await.unwrap();
    assert_eq!(catalog.delete_image(scope, "image-a", NOW).await.unwrap(), DeleteImage::Deleted);
    assert_eq!(rename("v1.0").await, UpdateImage::Updated);
}

async fn a_group_shows_its_newest_public_version(Engine { catalog, .. }: Engine) {
    let owner = lab(&catalog).await;
    let scope = Scope::own(owner);
    make(&catalog, owner, "a", "vm", NOW).await;
    let named = Submission { community_name: Some("PyTorch 环境"), ..submission("g", true) };
    let changes = ImageChanges { description: Some("first"), tags: Some(&["cv"]), ..NOTHING };
    catalog.publish_image(scope, "image-a", named, changes, None, NOW).await.unwrap();
    // Created and submitted later, but rejected: it has no effect.
    make(&catalog, owner, "b", "vm", NOW + 1).await;
    let changes =
        ImageChanges { group_id: Some("g"), description: Some("second"), price_cents: Some(5), ..NOTHING };
    catalog.publish_image(scope, "image-b", submission("h", false), changes, None, NOW + 2).await.unwrap();
    let group = |groups: Vec<Group>| {
        let [group] = &groups[..] else { panic!("{groups:?}") };
        (
            group.name.clone(),
            group.description.clone(),
            group.price_cents,
            group.pub_time,
            group.public_versions,
        )
    };
    let first = ("PyTorch 环境".to_owned(), "first".to_owned(), 0, NOW, 1);
    assert_eq!(group(groups(&catalog, Scope::published()).await), first);
    catalog.approve_image("image-b", NOW + 3).await.unwrap();
    // A version without a name keeps the group's name.
    let second = ("PyTorch 环境".to_owned(), "second".to_owned(), 5, NOW + 3, 2);
    assert_eq!(group(groups(&catalog, Scope::published()).await), second);
    assert_eq!(catalog.tags_in_use(Scope::published()).await.unwrap(), Vec::<String>::new());

    let changes = ImageChanges { description: Some("third"), price_cents: Some(7), ..NOTHING };
    catalog.update_image(scope, "image-b", changes, NOW + 4).await.unwrap();
    let third = ("PyTorch 环境".to_owned(), "third".to_owned(), 7, NOW + 3, 2);
    assert_eq!(group(groups(&catalog, Scope::published()).await), third);
    let down = ImageChanges { publication: Some(Publication::Private), ..NOTHING };
    catalog.update_image(scope, "image-b", down, NOW + 5).await.unwrap();
    assert_eq!(group(groups(&catalog, Scope::published()).await), first);
    catalog.update_image(scope, "image-a", down, NOW + 6).await.unwrap();
    assert_eq!(groups(&catalog, Scope::published()).await, []);
    assert_eq!(groups(&catalog, scope).await.len(), 1);
    for id in ["image-a", "image-b"] {
        assert_eq!(catalog.delete_image(scope, id, NOW).await.unwrap(), DeleteImage::Deleted);
    }
    assert_eq!(groups(&catalog, scope).await, []);
}

async fn a_listed_image_is_not_deleted_until_unpublished(Engine { catalog, .. }: Engine) {
    let owner = lab(&catalog).await;
    make(&catalog, owner, "a", "vm", NOW).await;
    let scope = Scope::own(owner);
    catalog.publish_image(scope, "image-a", submission("g", false), NOTHING, None, NOW).await.unwrap();
    assert_eq!(catalog.delete_image(scope, "image-a", NOW).await.unwrap(), DeleteImage::Published);
    catalog.approve_image("image-a", NOW).await.unwrap();
    assert_eq!(catalog.delete_image(scope, "image-a", NOW).await.unwrap(), DeleteImage::Published);
    let down = ImageChanges { publication: Some(Publication::Private), ..NOTHING };
    assert_eq!(catalog.update_image(scope, "image-a", down, NOW).await.unwrap(), UpdateImage::Updated);
    assert_eq!(catalog.delete_image(scope, "image-a", NOW).await.unwrap(), DeleteImage::Deleted);
}

async fn an_image_is_published_and_unpublished_repeatedly(Engine { catalog, .. }: Engine) {
    let owner = lab(&catalog).await;
    make(&catalog, owner, "a", "vm", NOW).await;
    create(&catalog, owner, "b", "vm").await;
    let scope = Scope::own(owner);
    let set = async |id, publication| {
        let changes = ImageChanges { publication: Some(publication), ..NOTHING };
        catalog.update_image(scope, id, changes, NOW).await.unwrap()
    };
    let state = async || {
        let image = image(&catalog, scope, "image-a").await;
        (image.status, image.visibility, image.group_id)
    };
    let public = |group| Publication::Public(submission(group, false));
    assert_eq!(set("image-a", Publication::Private).await, UpdateImage::Updated);
    assert_eq!(state().await, (ImageStatus::Available, 0, String::new()));
    for group in ["g", "other"] {
        assert_eq!(set("image-a", public(group)).await, UpdateImage::Updated);
        assert_eq!(state().await, (ImageStatus::Reviewing, 0, "g".to_owned()));
    }
    catalog.approve_image("image-a", NOW).await.unwrap();
    assert_eq!(set("image-a", public("other")).await, UpdateImage::Updated);
    assert_eq!(state().await, (ImageStatus::Available, 1, "g".to_owned()));
    for _ in 0..2 {
        assert_eq!(set("image-a", Publication::Private).await, UpdateImage::Updated);
        assert_eq!(state().await, (ImageStatus::Offline, 0, "g".to_owned()));
    }
    assert_eq!(set("image-b", public("h")).await, UpdateImage::Refused(PublishRefusal::NotAvailable));
    assert_eq!(set("image-b", Publication::Private).await, UpdateImage::Updated);
}

async fn a_version_moves_to_another_group(Engine { catalog, .. }: Engine) {
    let owner = account(&catalog, "lab").await.id;
    let fan = account(&catalog, "fan").await.id;
    instance(&catalog, owner, "vm").await;
    make_public(&catalog, owner, "a", "g", NOW).await;
    make_public(&catalog, owner, "b", "h", NOW).await;
    let scope = Scope::own(owner);
    catalog.add_favorite(fan, "h", NOW).await.unwrap();
    let to = |group| ImageChanges { group_id: Some(group), ..NOTHING };
    assert_eq!(
        catalog.update_image(scope, "image-a", to("none"), NOW).await.unwrap(),
        UpdateImage::Refused(PublishRefusal::GroupNotFound)
    );
    // Both are named v1.0.
    assert_eq!(
        catalog.update_image(scope, "image-a", to("h"), NOW).await.unwrap(),
        UpdateImage::Refused(PublishRefusal::VersionTaken("v1.0".to_owned()))
    );
    let changes = ImageChanges { version_name: Some("v2.0"), ..to("h") };
    assert_eq!(catalog.update_image(scope, "image-a", changes, NOW).await.unwrap(), UpdateImage::Updated);
    let left = groups(&catalog, Scope::published()).await;
    assert_eq!(left.len(), 1);
    assert_eq!((&*left[0].id, left[0].public_versions), ("h", 2));
    assert_eq!(image(&catalog, scope, "image-a").await.favorites_count, 1);
}
