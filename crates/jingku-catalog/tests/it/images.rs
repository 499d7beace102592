use jingku_catalog::{
    BuiltImage, CreateImage, DeleteImage, ImageChanges, ImageFilter, ImageStatus, Paging, Scope, UpdateImage,
};

use crate::engines::{Engine, on_every_engine};
use crate::setting::{NOW, account, claim, create, instance, lab, make, new_image};

on_every_engine!(
    a_new_image_is_in_the_list,
    a_name_is_taken_until_the_image_is_deleted,
    a_failed_image_frees_its_name,
    an_instance_makes_one_image_at_a_time,
    changes_leave_other_fields_unchanged,
    a_name_is_not_taken_by_renaming,
    images_of_other_accounts_look_nonexistent,
    every_change_increments_the_revision,
);

async fn a_new_image_is_in_the_list(Engine { catalog, .. }: Engine) {
    let owner = account(&catalog, "lab").await;
    instance(&catalog, owner.id, "vm").await;
    let new = jingku_catalog::NewImage {
        description: "带 CUDA 的镜像",
        softwares: Some(r#"{"Framework":"PyTorch"}"#),
        software_ports: r#"[{"Software":"SSH","Port":22}]"#,
        firewall_ports: &[22, 8888],
        ..new_image("image-1", "first", "vm")
    };
    let scope = Scope::own(owner.id);
    let created = catalog.create_image(scope, new, "job-1", NOW).await.unwrap();
    assert_eq!(created, CreateImage::Created);

    let page = catalog.images_page(scope, ImageFilter::default(), Paging::first(20)).await.unwrap();
    assert_eq!((page.total, page.items.len(), page.next), (1, 1, None));
    let image = &page.items[0];
    assert_eq!(Some(image), catalog.image(scope, "image-1").await.unwrap().as_ref());
    assert_eq!((image.id.as_str(), image.name.as_str()), ("image-1", "first"));
    assert_eq!((image.account, image.owner_name.as_str()), (owner.id, "lab"));
    assert_eq!((image.status, image.manifest.as_deref()), (ImageStatus::Making, None));
    assert_eq!(image.description, "带 CUDA 的镜像");
    assert_eq!(image.softwares.as_deref(), Some(r#"{"Framework":"PyTorch"}"#));
    assert_eq!(image.software_ports, r#"[{"Software":"SSH","Port":22}]"#);
    assert_eq!(image.firewall_ports, [22, 8888]);
    assert_eq!((image.region.as_str(), image.zone.as_str()), ("cn-wlcb", "cn-wlcb-01"));
    assert_eq!((image.source_instance_id.as_str(), image.source_gpu_type.as_str()), ("vm", "4090"));
    assert_eq!((image.create_time, image.update_time, image.size_bytes), (NOW, NOW, 1 << 30));
}

async fn a_name_is_taken_until_the_image_is_deleted(Engine { catalog, .. }: Engine) {
    let owner = lab(&catalog).await;
    make(&catalog, owner, "a", "vm", NOW).await;
    let scope = Scope::own(owner);
    let again = new_image("image-2", "a", "vm");
    let job = "job-2";
    assert_eq!(catalog.create_image(scope, again, job, NOW).await.unwrap(), CreateImage::NameTaken);

    assert_eq!(catalog.delete_image(scope, "image-a", NOW).await.unwrap(), DeleteImage::Deleted);
    assert_eq!(catalog.delete_image(scope, "image-a", NOW).await.unwrap(), DeleteImage::AlreadyDeleted);
    assert_eq!(catalog.image(scope, "image-a").await.unwrap(), None);
    assert_eq!(catalog.create_image(scope, again, job, NOW).await.unwrap(), CreateImage::Created);
    let page = catalog.images_page(scope, ImageFilter::default(), Paging::first(20)).await.unwrap();
    assert_eq!((page.total, page.items.len()), (1, 1));
}

async fn a_failed_image_frees_its_name(Engine { catalog, .. }: Engine) {
    let owner = lab(&catalog).await;
    create(&catalog, owner, "a", "vm").await;
    let job = claim(&catalog, "worker", NOW).await.unwrap();
    catalog.fail_job(&job, "The disk is gone.", NOW + 1).await.unwrap();

    let scope = Scope::own(owner);
    let failed = catalog.image(scope, "image-a").await.unwrap().unwrap();
    assert_eq!(
        (failed.status, failed.failed_reason.as_str()),
        (ImageStatus::UnAvailable, "The disk is gone.")
    );
    let again = new_image("image-2", "a", "vm");
    let created = catalog.create_image(scope, again, "job-2", NOW).await.unwrap();
    assert_eq!(created, CreateImage::Created);
    // Two have the same name; the failed one can still be changed and deleted.
    let changes = ImageChanges { name: Some("a"), description: Some("broken"), ..ImageChanges::default() };
    assert_eq!(catalog.update_image(scope, "image-a", changes, NOW).await.unwrap(), UpdateImage::Updated);
    assert_eq!(catalog.delete_image(scope, "image-a", NOW).await.unwrap(), DeleteImage::Deleted);
}

async fn an_instance_makes_one_image_at_a_time(Engine { catalog, .. }: Engine) {
    let owner = lab(&catalog).await;
    assert_eq!(create(&catalog, owner, "a", "vm").await, CreateImage::Created);
    assert_eq!(create(&catalog, owner, "b", "vm").await, CreateImage::InstanceBusy);
    assert_eq!(create(&catalog, owner, "b", "no-vm").await, CreateImage::InstanceNotFound);
    catalog.delete_image(Scope::own(owner), "image-a", NOW).await.unwrap();
    assert_eq!(create(&catalog, owner, "b", "vm").await, CreateImage::Created);
}

async fn changes_leave_other_fields_unchanged(Engine { catalog, .. }: Engine) {
    let owner = lab(&catalog).await;
    create(&catalog, owner, "a", "vm").await;
    let scope = Scope::own(owner);
    let before = catalog.image(scope, "image-a").await.unwrap().unwrap();

    let nothing = ImageChanges::default();
    assert_eq!(catalog.update_image(scope, "image-a", nothing, NOW + 9).await.unwrap(), UpdateImage::Updated);
    assert_eq!(catalog.image(scope, "image-a").await.unwrap().as_ref(), Some(&before));

    let changes = ImageChanges {
        tags: Some(&["cv", "训练"]),
        readme: Some("# Read"),
        price_cents: Some(188),
        auto_start: Some(true),
        supported_gpu_types: Some(&["4090", "A100"]),
        firewall_ports: Some(&[443]),
        version_name: Some("v1.0"),
        ..nothing
    };
    assert_eq!(catalog.update_image(scope, "image-a", changes, NOW + 9).await.unwrap(), UpdateImage::Updated);
    let after = catalog.image(scope, "image-a").await.unwrap().unwrap();
    let expected = jingku_catalog::Image {
        tags: vec!["cv".to_owned(), "训练".to_owned()],
        readme: "# Read".to_owned(),
        price_cents: 188,
        auto_start: true,
        supported_gpu_types: vec!["4090".to_owned(), "A100".to_owned()],
        firewall_ports: vec![443],
        version_name: "v1.0".to_owned(),
        update_time: NOW + 9,
        ..before
    };
    assert_eq!(after, expected);

    let listed = catalog.images_page(scope, ImageFilter::default(), Paging::first(1)).await.unwrap();
    assert_eq!(listed.items[0].readme, "");
}

async fn a_name_is_not_taken_by_renaming(Engine { catalog, .. }: Engine) {
    let owner = lab(&catalog).await;
    make(&catalog, owner, "a", "vm", NOW).await;
    make(&catalog, owner, "b", "vm", NOW).await;
    let scope = Scope::own(owner);
    let rename = |name| ImageChanges { name: Some(name), ..ImageChanges::default() };
    let update = async |id, name| catalog.update_image(scope, id, rename(name), NOW).await.unwrap();
    assert_eq!(update("image-a", "b").await, UpdateImage::NameTaken);
    assert_eq!(update("image-a", "a").await, UpdateImage::Updated);
    assert_eq!(update("image-a", "c").await, UpdateImage::Updated);
    assert_eq!(update("image-b", "a").await, UpdateImage::Updated);
    assert_eq!(update("image-x", "x").await, UpdateImage::NotFound);
}

async fn images_of_other_accounts_look_nonexistent(Engine { catalog, .. }: Engine) {
    let (owner, other) = (lab(&catalog).await, account(&catalog, "other").await.id);
    make(&catalog, owner, "a", "vm", NOW).await;

    let scope = Scope::own(other);
    for id in ["image-a", "image-none"] {
        assert_eq!(catalog.image(scope, id).await.unwrap(), None);
        assert_eq!(catalog.image_progress(scope, id).await.unwrap(), None);
        assert_eq!(catalog.delete_image(scope, id, NOW).await.unwrap(), DeleteImage::NotFound);
        let changes = ImageChanges { name: Some("mine"), ..ImageChanges::default() };
        assert_eq!(catalog.update_image(scope, id, changes, NOW).await.unwrap(), UpdateImage::NotFound);
        let filter = ImageFilter { id: Some(id), ..ImageFilter::default() };
        let page = catalog.images_page(scope, filter, Paging::first(20)).await.unwrap();
        assert_eq!((page.total, page.items.len()), (0, 0));
    }
    let page = catalog.images_page(scope, ImageFilter::default(), Paging::first(20)).await.unwrap();
    assert_eq!((page.total, page.items.len()), (0, 0));
    // Also not by its instance or its name.
    assert_eq!(create(&catalog, other, "b", "vm").await, CreateImage::InstanceNotFound);
    instance(&catalog, other, "vm-of-other").await;
    let same_name = new_image("image-2", "a", "vm-of-other");
    let created = catalog.create_image(scope, same_name, "job-2", NOW).await.unwrap();
    assert_eq!(created, CreateImage::Created);
    let untouched = catalog.image(Scope::own(owner), "image-a").await.unwrap().unwrap();
    assert_eq!((untouched.name.as_str(), untouched.update_time), ("a", NOW));
}

async fn every_change_increments_the_revision(Engine { catalog, .. }: Engine) {
    let owner = account(&catalog, "lab").await.id;
    let scope = Scope::own(owner);
    instance(&catalog, owner, "vm").await;
    let revision = async || catalog.account_revision(owner).await.unwrap().unwrap();
    let mut last = revision().await;
    let mut moved = async || std::mem::replace(&mut last, revision().await) < last;

    create(&catalog, owner, "a", "vm").await;
    assert!(moved().await);
    let job = claim(&catalog, "worker", NOW).await.unwrap();
    catalog.complete_job(&job, BuiltImage::dense("manifest", 5), NOW).await.unwrap();
    assert!(moved().await);
    let changes = ImageChanges { name: Some("b"), ..ImageChanges::default() };
    catalog.update_image(scope, "image-a", changes, NOW).await.unwrap();
    assert!(moved().await);
    catalog.update_image(scope, "image-none", changes, NOW).await.unwrap();
    assert!(!moved().await);
    catalog.delete_image(scope, "image-a", NOW).await.unwrap();
    assert!(moved().await);
}
