use jingku_catalog::{
    AccountId, BuiltContainer, BuiltImage, Catalog, CopyImage, CreateImage, ImageKey, JobEnd, NewCopy,
    NewImage, NewInstance, PutContainer, RestoreImage, Scope,
};

use crate::engines::{Engine, on_every_engine};
use crate::setting::{NOW, account, claim, create, instance, make, new_image, publish};

on_every_engine!(
    a_container_is_added_and_updated,
    the_id_of_another_instance_is_taken,
    a_seen_engine_dates_containers_only,
    a_container_is_paused_for_an_image,
    an_image_of_a_container_has_documents,
    found_software_does_not_replace_what_the_owner_named,
    images_of_containers_are_found_by_name_and_id_in_a_scope,
    a_name_finds_the_image_that_has_it_now,
    own_images_of_containers_are_listed_in_pages,
    a_copy_keeps_the_documents,
    the_trash_keeps_the_documents,
    the_options_of_a_save_reach_its_job,
);

fn container<'a>(id: &'a str, owner: AccountId, facts: &'a str) -> NewInstance<'a> {
    NewInstance {
        id,
        account: owner,
        name: "trainer",
        region: "cn-wlcb",
        zone: "cn-wlcb-01",
        disk: r#"{"container":"abc"}"#,
        size_bytes: 7,
        gpu_type: "",
        container: Some(facts),
    }
}

const BUILT: BuiltContainer<'_> = BuiltContainer {
    oci: r#"{"manifest":"m"}"#,
    left_out: r#"{"secrets":[]}"#,
    softwares: Some(r#"{"Framework":"PyTorch"}"#),
    software_ports: r#"[{"Software":"","Port":8888}]"#,
};

/// Creates the account "lab" with the container "cpod".
async fn lab(catalog: &Catalog) -> AccountId {
    let owner = account(catalog, "lab").await.id;
    assert_eq!(
        catalog.put_container(container("cpod", owner, "{}"), NOW).await.unwrap(),
        PutContainer::Added
    );
    owner
}

async fn complete(catalog: &Catalog, built: BuiltContainer<'_>) {
    let job = claim(catalog, "saver", NOW).await.expect("a job waits");
    let built = BuiltImage { container: Some(built), ..BuiltImage::dense("manifest", 5) };
    assert_eq!(catalog.complete_job(&job, built, NOW).await.unwrap(), JobEnd::Ended);
}

/// Makes the image `image-name` of the container.
async fn save(catalog: &Catalog, owner: AccountId, name: &str) {
    assert_eq!(create(catalog, owner, name, "cpod").await, CreateImage::Created);
    complete(catalog, BUILT).await;
}

async fn id_of(catalog: &Catalog, scope: Scope, owner: AccountId, key: ImageKey<'_>) -> Option<String> {
    catalog.container_image(scope, owner, key).await.unwrap().map(|image| image.image_id)
}

async fn a_container_is_added_and_updated(Engine { catalog, .. }: Engine) {
    let owner = lab(&catalog).await;
    let row = catalog.instance(Some(owner), "cpod").await.unwrap().unwrap();
    assert_eq!((row.container.as_deref(), row.size_bytes, row.created_at), (Some("{}"), 7, NOW));

    let changed = NewInstance {
        name: "again",
        zone: "cn-wlcb-02",
        disk: r#"{"container":"def"}"#,
        size_bytes: 8,
        gpu_type: "4090",
        ..container("cpod", owner, r#"{"gpus":1}"#)
    };
    assert_eq!(catalog.put_container(changed, NOW + 5).await.unwrap(), PutContainer::Kept);
    let row = catalog.instance(Some(owner), "cpod").await.unwrap().unwrap();
    assert_eq!((&*row.name, &*row.zone, &*row.gpu_type, row.size_bytes), ("again", "cn-wlcb-02", "4090", 8));
    assert_eq!((row.created_at, row.seen_at), (NOW, NOW + 5));
    let known = catalog.containers().await.unwrap();
    assert_eq!(known.len(), 1);
    assert_eq!((&*known[0].id, known[0].account, known[0].size_bytes), ("cpod", owner, 8));
    assert_eq!((&*known[0].disk, &*known[0].container), (r#"{"container":"def"}"#, r#"{"gpus":1}"#));
}

async fn the_id_of_another_instance_is_taken(Engine { catalog, .. }: Engine) {
    let owner = lab(&catalog).await;
    let other = account(&catalog, "other").await.id;
    instance(&catalog, owner, "vm").await;
    for new in [container("cpod", other, "{}"), container("vm", owner, "{}"), container("vm", other, "{}")] {
        assert_eq!(catalog.put_container(new, NOW).await.unwrap(), PutContainer::Taken);
    }
    assert_eq!(catalog.instance(Some(other), "cpod").await.unwrap(), None);
    assert_eq!(catalog.instance(None, "vm").await.unwrap().unwrap().container, None);
}

async fn a_seen_engine_dates_containers_only(Engine { catalog, .. }: Engine) {
    let owner = lab(&catalog).await;
    instance(&catalog, owner, "vm").await;
    catalog.see_containers(NOW + 9).await.unwrap();
    let seen_at = async |id| catalog.instance(None, id).await.unwrap().unwrap().seen_at;
    assert_eq!((seen_at("cpod").await, seen_at("vm").await), (NOW + 9, 0));
}

async fn a_container_is_paused_for_an_image(Engine { catalog, .. }: Engine) {
    let owner = lab(&catalog).await;
    let paused_for = async || catalog.containers().await.unwrap().remove(0).paused_for;
    assert_eq!(paused_for().await, "");
    catalog.set_paused_for("cpod", "image-a").await.unwrap();
    assert_eq!(paused_for().await, "image-a");
    // What the engine says about it does not resume it.
    catalog.put_container(container("cpod", owner, r#"{"gpus":1}"#), NOW).await.unwrap();
    assert_eq!(paused_for().await, "image-a");
    catalog.set_paused_for("cpod", "").await.unwrap();
    assert_eq!(paused_for().await, "");
}

async fn an_image_of_a_container_has_documents(Engine { catalog, .. }: Engine) {
    let owner = lab(&catalog).await;
    let scope = Scope::own(owner);
    create(&catalog, owner, "a", "cpod").await;
    assert_eq!(id_of(&catalog, scope, owner, ImageKey::Name("a")).await, None, "it is being made");
    complete(&catalog, BUILT).await;
    let image = catalog.container_image(scope, owner, ImageKey::Name("a")).await.unwrap().unwrap();
    assert_eq!((&*image.image_id, image.account, &*image.name), ("image-a", owner, "a"));
    assert_eq!((&*image.manifest, &*image.oci, &*image.left_out), ("manifest", BUILT.oci, BUILT.left_out));
    assert_eq!(catalog.left_out(scope, "image-a").await.unwrap().as_deref(), Some(BUILT.left_out));
    let row = catalog.image(scope, "image-a").await.unwrap().unwrap();
    assert!(row.container);
    assert_eq!((row.softwares.as_deref(), &*row.software_ports), (BUILT.softwares, BUILT.software_ports));

    instance(&catalog, owner, "vm").await;
    make(&catalog, owner, "disk", "vm", NOW).await;
    assert!(!catalog.image(scope, "image-disk").await.unwrap().unwrap().container);
    assert_eq!(id_of(&catalog, scope, owner, ImageKey::Name("disk")).await, None);
    assert_eq!(catalog.left_out(scope, "image-disk").await.unwrap(), None);
}

async fn found_software_does_not_replace_what_the_owner_named(Engine { catalog, .. }: Engine) {
    let owner = lab(&catalog).await;
    let named = NewImage {
        softwares: Some(r#"{"Framework":"JAX"}"#),
        software_ports: r#"[{"Software":"SSH","Port":22}]"#,
        ..new_image("image-a", "a", "cpod")
    };
    catalog.create_image(Scope::own(owner), named, "job-a", NOW).await.unwrap();
    complete(&catalog, BUILT).await;
    let row = catalog.image(Scope::own(owner), "image-a").await.unwrap().unwrap();
    assert_eq!((row.softwares.as_deref(), &*row.software_ports), (named.softwares, named.software_ports));
}

async fn images_of_containers_are_found_by_name_and_id_in_a_scope(Engine { catalog, .. }: Engine) {
    let owner = lab(&catalog).await;
    let other = account(&catalog, "other").await.id;
    save(&catalog, owner, "a").await;
    let (own, theirs) = (Scope::visible_to(owner), Scope::visible_to(other));
    for key in [ImageKey::Name("a"), ImageKey::Id("image-a")] {
        assert_eq!(id_of(&catalog, own, owner, key).await.as_deref(), Some("image-a"), "{key:?}");
        assert_eq!(id_of(&catalog, own, other, key).await, None, "{key:?} of another account");
        assert_eq!(id_of(&catalog, theirs, owner, key).await, None, "{key:?} to another account");
    }
    assert_eq!(catalog.left_out(theirs, "image-a").await.unwrap(), None);
    publish(&catalog, owner, "image-a", "group", jingku_catalog::ImageChanges::default(), NOW).await;
    assert_eq!(id_of(&catalog, theirs, owner, ImageKey::Name("a")).await.as_deref(), Some("image-a"));
}

async fn a_name_finds_the_image_that_has_it_now(Engine { catalog, .. }: Engine) {
    let owner = lab(&catalog).await;
    let scope = Scope::own(owner);
    save(&catalog, owner, "a").await;
    catalog.delete_image(scope, "image-a", NOW).await.unwrap();
    assert_eq!(id_of(&catalog, scope, owner, ImageKey::Name("a")).await, None);
    assert_eq!(id_of(&catalog, scope, owner, ImageKey::Id("image-a")).await, None);
    assert_eq!(catalog.left_out(scope, "image-a").await.unwrap(), None);
    catalog.create_image(scope, new_image("image-new", "a", "cpod"), "job-new", NOW).await.unwrap();
    complete(&catalog, BUILT).await;
    assert_eq!(id_of(&catalog, scope, owner, ImageKey::Name("a")).await.as_deref(), Some("image-new"));
}

async fn own_images_of_containers_are_listed_in_pages(Engine { catalog, .. }: Engine) {
    let owner = lab(&catalog).await;
    let other = account(&catalog, "other").await.id;
    for name in ["b", "c", "a", "d"] {
        save(&catalog, owner, name).await;
    }
    instance(&catalog, owner, "vm").await;
    make(&catalog, owner, "disk", "vm", NOW).await;
    catalog.delete_image(Scope::own(owner), "image-d", NOW).await.unwrap();
    let page = async |owner, after, limit| {
        let images = catalog.container_images(owner, after, limit).await.unwrap();
        images.into_iter().map(|image| image.name).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(page(owner, "", 100).await, "a b c");
    assert_eq!(page(owner, "", 2).await, "a b");
    assert_eq!(page(owner, "image-b", 2).await, "c");
    assert_eq!(page(owner, "image-c", 2).await, "");
    assert_eq!(page(owner, "", 0).await, "");
    assert_eq!(page(other, "", 100).await, "");
}

async fn a_copy_keeps_the_documents(Engine { catalog, .. }: Engine) {
    let owner = lab(&catalog).await;
    let scope = Scope::own(owner);
    save(&catalog, owner, "a").await;
    let name = |_: &str, _: u32| Some("b".to_owned());
    let copy = NewCopy {
        id: "copy",
        owner,
        name: &name,
        description: None,
        place: None,
        platform_type: "",
        request: None,
    };
    let copied = catalog.copy_image(scope, "image-a", copy, NOW).await.unwrap();
    assert_eq!(copied, CopyImage::Copied("b".to_owned()));
    let copy = catalog.container_image(scope, owner, ImageKey::Name("b")).await.unwrap().unwrap();
    assert_eq!((&*copy.manifest, &*copy.oci, &*copy.left_out), ("manifest", BUILT.oci, BUILT.left_out));
    assert!(catalog.image(scope, "copy").await.unwrap().unwrap().container);
}

async fn the_trash_keeps_the_documents(Engine { catalog, .. }: Engine) {
    let owner = lab(&catalog).await;
    let scope = Scope::own(owner);
    save(&catalog, owner, "a").await;
    let before = catalog.container_image(scope, owner, ImageKey::Id("image-a")).await.unwrap().unwrap();
    catalog.delete_image(scope, "image-a", NOW).await.unwrap();
    let restored = catalog.restore_image("image-a", None, NOW).await.unwrap();
    assert_eq!(restored, RestoreImage::Restored("a".to_owned()));
    let after = catalog.container_image(scope, owner, ImageKey::Id("image-a")).await.unwrap().unwrap();
    assert_eq!((after.oci, after.left_out), (before.oci, before.left_out));
}

async fn the_options_of_a_save_reach_its_job(Engine { catalog, .. }: Engine) {
    let owner = lab(&catalog).await;
    let new = NewImage { options: r#"{"pause":true}"#, ..new_image("image-a", "a", "cpod") };
    catalog.create_image(Scope::own(owner), new, "job-a", NOW).await.unwrap();
    assert_eq!(claim(&catalog, "saver", NOW).await.unwrap().options, r#"{"pause":true}"#);
}
