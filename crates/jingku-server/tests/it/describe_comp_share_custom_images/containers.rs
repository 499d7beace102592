//! What only rows of container images have.

use jingku_protocol::actions::Action;
use serde_json::{Value, json};

use crate::support::{Archive, INSTANCE, Service};

const FILES: &[(&str, &[u8])] = &[
    ("etc/machine-id", b"0123456789abcdef0123456789abcdef\n"),
    ("etc/ssh/ssh_host_rsa_key", b"host\n"),
    ("root/.ssh/id_rsa", b"key\n"),
    ("work", b"work\n"),
];

#[tokio::test]
async fn a_report_is_shown_only_by_id() {
    let service = Service::start().await;
    let id = service.import_container("trained", &Archive::new(FILES, &json!({}))).await;
    let disk = service.make(INSTANCE, "disk").await;
    let caller = service.caller();
    let image = caller.image(&id).await;
    let report = &image["LeftOut"];
    let paths = [("etc/machine-id", "host_identity"), ("etc/ssh/ssh_host_rsa_key", "host_identity")];
    let paths = paths.map(|(path, reason)| json!({ "Path": path, "Reason": reason }));
    assert_eq!(report["Paths"], json!(paths));
    assert_eq!((&report["Secrets"], &report["SecretCount"]), (&json!(["root/.ssh/id_rsa"]), &1.into()));
    assert!(report["Count"].as_u64() >= Some(1) && report["Bytes"].as_u64() >= Some(5), "{report}");
    assert_eq!(image["Repository"], "1/trained");

    for row in caller.images(&[]).await {
        assert_eq!(row["LeftOut"], Value::Null, "{row}");
        let repository = if row["CompShareImageId"] == *id { json!("1/trained") } else { Value::Null };
        assert_eq!(
            (&row["Repository"], &row["Container"]),
            (&repository, &json!(if repository.is_null() { "False" } else { "True" }))
        );
    }
    let disk = caller.image(&disk).await;
    assert_eq!((&disk["LeftOut"], &disk["Repository"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn a_copy_and_a_restored_image_keep_their_report() {
    let service = Service::start().await;
    let id = service.import_container("trained", &Archive::new(FILES, &json!({}))).await;
    let caller = service.caller();
    let report = caller.image(&id).await["LeftOut"].clone();
    let copied = [("CompShareImageId", &*id), ("TargetImageName", "copied")];
    caller.ok(Action::CopyCompShareCustomImage, &copied).await;
    let rows = caller.images(&[]).await;
    let copy = rows.iter().find(|row| row["Name"] == "copied").unwrap();
    assert_eq!((&copy["Repository"], &copy["Container"]), (&"1/copied".into(), &"True".into()));
    let copy = caller.image(copy["CompShareImageId"].as_str().unwrap()).await;
    assert_eq!(copy["LeftOut"], report);

    caller.ok(Action::TerminateCompShareCustomImage, &[("CompShareImageId", &id)]).await;
    assert!(caller.images(&[("CompShareImageId", &id)]).await.is_empty());
    service.context.library.restore_image(&id, None).await.unwrap();
    let restored = caller.image(&id).await;
    assert_eq!((&restored["LeftOut"], &restored["Repository"]), (&report, &"1/trained".into()));
}
