//! Operator commands on the data directory: a refused command has a message and changes nothing.

use std::fmt::Display;
use std::path::Path;

use jingku_library::{
    Config, DataDir, DeclaredInstance, DiskFormat, Environment, KeyLimits, KeyPair, Library, LibraryError,
    NewInstance, PlatformType, add_demo_instances,
};
use jingku_protocol::actions::Action;

use crate::support::{INSTANCE, NOW, PRIVATE_KEY, PUBLIC_KEY, Service};

fn new_instance<'a>(id: &'a str, disk: &'a Path) -> NewInstance<'a> {
    NewInstance { id, name: None, account: 1, zone: None, disk, format: None, gpu_type: "" }
}

fn error_message<T>(outcome: Result<T, impl Display>) -> String {
    outcome.err().expect("refused").to_string()
}

#[tokio::test]
async fn account_names_are_unique_and_keys_belong_to_one_account() {
    let service = Service::start().await;
    let context = &service.context;
    let (account, keys) = context.library.create_account("lab").await.unwrap();
    assert_eq!((account.id.0, account.name.as_str()), (2, "lab"));
    assert_eq!(
        error_message(context.library.create_account("lab").await),
        "There is an account named \"lab\" already. Choose another name."
    );
    let names: Vec<_> =
        context.library.accounts().await.unwrap().into_iter().map(|account| account.name).collect();
    assert_eq!(names, ["default", "lab"]);

    assert_eq!(
        error_message(context.library.create_key(3, "x", &KeyLimits::default()).await),
        "There is no account 3. Create it with `jingku account create NAME`."
    );
    context.library.revoke_key(&keys.public_key).await.unwrap();
    let gone =
        format!("There is no key {:?} that is not revoked. `jingku key list` shows all.", keys.public_key);
    assert_eq!(error_message(context.library.revoke_key(&keys.public_key).await), gone);
    let listed = context.library.keys(Some(2)).await.unwrap();
    assert_eq!((listed.len(), listed[0].revoked_at.is_some()), (1, true));
    assert_eq!(context.library.keys(None).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_given_key_pair_is_adopted_unless_it_conflicts() {
    let service = Service::start().await;
    let data = DataDir::open_or_create(&service.folder.path().join("data")).unwrap();
    let pair =
        |public: &str, private: &str| KeyPair { public_key: public.into(), private_key: private.into() };
    let ensure = async |pair| service.context.library.ensure_first_account(&data, Some(&pair)).await;
    ensure(pair(PUBLIC_KEY, PRIVATE_KEY)).await.unwrap();
    assert_eq!(
        service.context.library.keys(None).await.unwrap().len(),
        1,
        "a second call created another key"
    );
    ensure(pair("second", PRIVATE_KEY)).await.unwrap();
    let (_, theirs) = service.context.library.create_account("lab").await.unwrap();
    for taken in [pair(PUBLIC_KEY, "another"), theirs] {
        let public_key = taken.public_key.clone();
        let message = format!(
            "The public key {public_key:?} exists already with another private key or in another account. Choose \
             another."
        );
        assert_eq!(error_message(ensure(taken).await), message);
    }
}

#[tokio::test]
async fn without_a_given_key_one_is_generated_once_and_saved() {
    let folder = tempfile::tempdir().unwrap();
    let data = DataDir::open_or_create(folder.path()).unwrap();
    let open = async || Library::open(&data, &Config::default(), &Environment::default()).await.unwrap();
    let made =
        open().await.ensure_first_account(&data, None).await.unwrap().expect("a key pair was generated");
    let file = std::fs::read_to_string(data.credentials_path()).unwrap();
    assert!(file.contains(&format!("public_key = {:?}", made.public_key)), "{file}");
    assert!(open().await.ensure_first_account(&data, None).await.unwrap().is_none());
    assert_eq!(std::fs::read_to_string(data.credentials_path()).unwrap(), file);
}

#[tokio::test]
async fn invalid_instances_are_refused() {
    let service = Service::start().await;
    let context = &service.context;
    let disk = service.folder.path().join("lab1.raw");
    let long = "i".repeat(65);
    for bad in ["", "a b", "../x", "中", &long] {
        let message =
            format!("{bad:?} cannot be an instance id: use 1 to 64 of the characters a-z A-Z 0-9 - _ .");
        assert_eq!(error_message(context.library.add_instance(new_instance(bad, &disk)).await), message);
    }
    let new = new_instance("uhost-new", &disk);
    assert_eq!(
        error_message(context.library.add_instance(NewInstance { zone: Some("moon"), ..new }).await),
        "There is no zone \"moon\". Known zones: cn-wlcb-01, cn-sh2-02, cn-bj2-03."
    );
    let nobody = NewInstance { account: 9, ..new };
    assert!(matches!(context.library.add_instance(nobody).await, Err(LibraryError::NoAccount(9))));
    let nowhere = new_instance("uhost-new", Path::new("/nowhere"));
    assert!(matches!(context.library.add_instance(nowhere).await, Err(LibraryError::Disk(_))));
    let message = format!(
        "There is an instance {INSTANCE:?} already. Remove it first with `jingku instance remove {INSTANCE}`."
    );
    assert_eq!(error_message(context.library.add_instance(new_instance(INSTANCE, &disk)).await), message);
    let ids: Vec<_> =
        context.library.instances().await.unwrap().into_iter().map(|instance| instance.id).collect();
    assert_eq!(ids, [INSTANCE]);
}

#[tokio::test]
async fn a_busy_instance_cannot_be_removed_and_images_outlive_it() {
    let service = Service::start().await;
    let (context, caller) = (&service.context, service.caller());
    let id = caller.create(INSTANCE, "env").await;
    let busy = format!(
        "An image of instance {INSTANCE:?} is being made. Wait until it is done, or delete that image."
    );
    assert_eq!(error_message(context.library.remove_instance(INSTANCE).await), busy);
    service.finish_job(&id).await;
    context.library.remove_instance(INSTANCE).await.unwrap();
    assert!(matches!(context.library.remove_instance(INSTANCE).await, Err(LibraryError::NoInstance(_))));
    assert_eq!(caller.image(&id).await["Status"], "Available");
    assert_eq!(caller.ok(Action::DescribeCompShareInstance, &[]).await["TotalCount"], 0);
}

#[tokio::test]
async fn declared_instances_are_updated() {
    let service = Service::start().await;
    let disk = service.disk("declared.qcow2", DiskFormat::Qcow2, 2);
    let declared = |zone: &str, disk: &Path| DeclaredInstance {
        id: "uhost-declared".to_owned(),
        disk: disk.to_owned(),
        format: None,
        zone: Some(zone.to_owned()),
        name: None,
        account: 1,
        gpu_type: String::new(),
    };
    let declare = async |instance| service.context.library.declare_instances(&[instance]).await;
    let zone = async || {
        let instances = service.context.library.instances().await.unwrap();
        instances.into_iter().find(|instance| instance.id == "uhost-declared").map(|instance| instance.zone)
    };
    declare(declared("cn-wlcb-01", &disk)).await.unwrap();
    assert_eq!(zone().await.as_deref(), Some("cn-wlcb-01"));
    declare(declared("cn-sh2-02", &disk)).await.unwrap();
    assert_eq!(zone().await.as_deref(), Some("cn-sh2-02"));
    declare(declared("cn-bj2-03", Path::new("/nowhere"))).await.unwrap_err();
    assert_eq!(zone().await.as_deref(), Some("cn-sh2-02"), "a missing disk must not remove the instance");
    declare(declared("moon", &disk)).await.unwrap_err();
    assert_eq!(zone().await.as_deref(), Some("cn-sh2-02"), "an unknown zone must not remove the instance");
}

#[tokio::test]
async fn an_instance_can_name_its_source_image() {
    let service = Service::start().await;
    let (theirs, _) = service.stranger().await;
    service.add_images(&[("image-1", NOW)]).await;
    let making = service.caller().create(INSTANCE, "making").await;
    let disk = service.folder.path().join("lab1.raw");
    let add = async |account, image: &str| {
        let new = NewInstance { account, ..new_instance("uhost-new", &disk) };
        service.context.library.add_instance_from(new, image).await
    };
    for (account, image) in [(1, "image-none"), (theirs, "image-1"), (theirs, &*making)] {
        let message =
            format!("Account {account} sees no image {image:?} that it could have started an instance from.");
        assert_eq!(error_message(add(account, image).await), message);
    }
    let message = format!(
        "Image {making:?} is being made or could not be made: nothing can have been started from it."
    );
    assert_eq!(error_message(add(1, &making).await), message);
    assert_eq!(service.context.library.instances().await.unwrap().len(), 1);
    assert_eq!(add(1, "image-1").await.unwrap().started_from.unwrap().image_id, "image-1");
    assert!(matches!(add(1, "image-1").await, Err(LibraryError::InstanceExists(_))));
    assert_eq!(service.caller().image("image-1").await["CreatedCount"], 1);
}

#[tokio::test]
async fn an_image_is_promoted_and_demoted() {
    let service = Service::start().await;
    let (context, caller) = (&service.context, service.caller());
    service.add_images(&[("image-1", NOW), ("image-2", NOW)]).await;
    let making = caller.create(INSTANCE, "making").await;
    let promote = async |id: &str, name| context.library.promote_image(id, PlatformType::System, name).await;

    let promoted = promote("image-1", None).await.unwrap();
    assert_eq!((promoted.name.as_str(), promoted.copied_from.as_str()), ("image-1", "image-1"));
    assert_ne!(promoted.id, "image-1");
    assert_eq!(promote("image-2", Some("官方镜像")).await.unwrap().name, "官方镜像");
    let taken =
        "The platform has an image with the name that \"image-1\" would get. Choose another with --name.";
    assert_eq!(error_message(promote("image-1", None).await), taken);
    assert_eq!(
        error_message(promote("image-none", None).await),
        "There is no image \"image-none\". `jingku image list` shows an account's own."
    );
    let not_whole = format!(
        "Image {making:?} is being made, waits for review or could not be made. Choose an image that is \
         Available or Offline."
    );
    assert_eq!(error_message(promote(&making, None).await), not_whole);
    assert_eq!(
        error_message(promote("image-1", Some("a b")).await),
        "\"a b\" cannot be the name of an image: use 1 to 50 Chinese characters, letters, digits and _ , . : -"
    );
    assert_eq!(caller.ok(Action::DescribeCompShareImages, &[]).await["TotalCount"], 2);

    context.library.demote_image(&promoted.id).await.unwrap();
    let gone = format!("The platform has no image {:?}. It may have been removed before.", promoted.id);
    assert_eq!(error_message(context.library.demote_image(&promoted.id).await), gone);
    // Only platform images can be demoted.
    assert!(matches!(context.library.demote_image("image-1").await, Err(LibraryError::NoPlatformImage(_))));
    assert_eq!(caller.images(&[]).await.len(), 3);
    promote("image-1", None).await.expect("the name is available again");
}

/// A server that crashed while it made an image must start again, whatever its configuration declares.
#[tokio::test]
async fn declaring_a_busy_instance_does_not_prevent_startup() {
    let service = Service::start().await;
    let declared = |gpu_type: &str| DeclaredInstance {
        id: INSTANCE.to_owned(),
        disk: service.folder.path().join("lab1.raw"),
        format: None,
        zone: None,
        name: Some("lab".to_owned()),
        account: 1,
        gpu_type: gpu_type.to_owned(),
    };
    let gpu = async || service.context.library.instances().await.unwrap().remove(0).gpu_type;
    let id = service.caller().create(INSTANCE, "env").await;
    service.context.library.declare_instances(&[declared("4090")]).await.unwrap();
    service.context.library.declare_instances(&[declared("A100")]).await.unwrap();
    assert_eq!(gpu().await, "4090", "a busy instance keeps its declaration");
    service.finish_job(&id).await;
    service.clock.set(NOW + 60);
    service.context.library.declare_instances(&[declared("4090")]).await.unwrap();
    let unchanged = service.context.library.instances().await.unwrap().remove(0);
    assert_eq!(unchanged.created_at, NOW, "an equal declaration replaced the instance");
    service.context.library.declare_instances(&[declared("A100")]).await.unwrap();
    assert_eq!(gpu().await, "A100");
}

#[tokio::test]
async fn the_demo_has_two_usable_instances() {
    let service = Service::start().await;
    let data = DataDir::open_or_create(&service.folder.path().join("data")).unwrap();
    for _ in 0..2 {
        let ids = add_demo_instances(&service.context.library, &data).await.unwrap();
        assert_eq!(ids, ["uhost-demo1", "uhost-demo2"]);
    }
    let id = service.make("uhost-demo2", "my-custom-env").await;
    assert_eq!(service.caller().image(&id).await["Status"], "Available");
}
