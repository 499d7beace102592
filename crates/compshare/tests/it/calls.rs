//! What travels in a call and comes back typed.

use std::process::Command;

use compshare::actions::{
    CreateCompShareCustomImageRequest, DescribeCompShareCustomImagesRequest,
    DescribeCompShareInstanceRequest, DescribeCompShareSoftwarePortRequest,
    DescribeCompShareSupportZoneRequest, GetCompShareImageCreateProgressRequest, GetProjectListRequest,
    GetRegionRequest, ImageId, Place, TerminateCompShareCustomImageRequest, UpdateCompShareImageRequest,
};
use compshare::{Client, ImageStatus};
use serde_json::json;

use crate::server::{Answer, PRIVATE_KEY, Server};

#[tokio::test]
async fn a_list_comes_back_typed() {
    let server = Server::start(|_, _| {
        Answer::Json(json!({
            "Action": "DescribeCompShareCustomImagesResponse", "RetCode": 0, "TotalCount": 1,
            "ImageSet": [{
                "CompShareImageId": "compshareImage-1", "Name": "训练环境", "Status": "Available", "Size": 20480,
                "Tags": null, "Softwares": {"Framework": "PyTorch", "Applications": null},
                "Owner": {"AccountId": 63_111_222}, "CreateTime": 1_750_000_000, "FutureField": [1],
            }],
        }))
    })
    .await;
    let mut config = server.config();
    config.region = Some("cn-wlcb".into());
    config.project_id = Some("org-1".into());
    let client = Client::new(config).unwrap();

    let request = DescribeCompShareCustomImagesRequest {
        place: Place { region: None, zone: Some("cn-wlcb-01".into()) },
        ..DescribeCompShareCustomImagesRequest::default()
    };
    let page = client.describe_comp_share_custom_images(&request).await.unwrap();
    assert_eq!(page.total_count, 1);
    let image = &page.image_set[0];
    assert_eq!((image.name.as_str(), image.status, image.size), ("训练环境", ImageStatus::Available, 20480));
    assert_eq!(image.owner.account_id, "63111222");
    assert_eq!(image.softwares.as_ref().unwrap().framework, "PyTorch");

    let seen = &server.seen()[0];
    assert!(seen.head.starts_with("POST / HTTP/1.1"), "{}", seen.head);
    let agent = format!("user-agent: compshare-rust/{}", env!("CARGO_PKG_VERSION"));
    assert!(seen.head.contains(&agent), "{}", seen.head);
    assert_eq!(seen.text("Region"), Some("cn-wlcb"));
    assert_eq!(seen.text("Zone"), Some("cn-wlcb-01"));
    assert_eq!(seen.text("ProjectId"), Some("org-1"));
}

#[tokio::test]
async fn a_null_list_is_empty() {
    let server =
        Server::start(|_, _| Answer::Json(json!({"RetCode": 0, "TotalCount": 0, "ImageSet": null}))).await;
    let request = DescribeCompShareCustomImagesRequest::default();
    let page = server.client().describe_comp_share_custom_images(&request).await.unwrap();
    assert!(page.image_set.is_empty());
}

#[tokio::test]
async fn methods_send_their_action_and_decode_the_response() {
    let server = Server::start(|_, _| {
        Answer::Json(json!({
            "RetCode": 0, "CompShareImageId": "i", "Process": 12.5, "RemainingDuration": 30,
            "UHostSet": [{"UHostId": "uhost-1", "IPSet": null}],
            "ZoneInfo": [{"Zone": "z"}], "SoftwarePort": [{"Software": "SSH", "Port": 22}],
            "Regions": [{"Region": "r"}], "ProjectSet": [{"ProjectId": "org-1"}],
        }))
    })
    .await;
    let client = server.client();
    let image_id = || ImageId::from("compshareImage-1");

    let create = CreateCompShareCustomImageRequest {
        instance_id: "uhost-1".into(),
        name: "a".into(),
        ..CreateCompShareCustomImageRequest::default()
    };
    assert_eq!(client.create_comp_share_custom_image(&create).await.unwrap().comp_share_image_id, "i");
    let progress = GetCompShareImageCreateProgressRequest { place: Place::default(), image_id: image_id() };
    let progress = client.get_comp_share_image_create_progress(&progress).await.unwrap();
    assert_eq!((progress.process, progress.remaining_duration.as_str()), (12.5, "30"));
    let update = UpdateCompShareImageRequest {
        image_id: image_id(),
        tags: Some(["LLM", "其他"].into()),
        ..UpdateCompShareImageRequest::default()
    };
    client.update_comp_share_image(&update).await.unwrap();
    let terminate = TerminateCompShareCustomImageRequest { place: Place::default(), image_id: image_id() };
    client.terminate_comp_share_custom_image(&terminate).await.unwrap();
    let all = DescribeCompShareInstanceRequest::default();
    assert_eq!(client.describe_comp_share_instance(&all).await.unwrap().instances[0].id, "uhost-1");
    let zones = client.describe_comp_share_support_zone(&DescribeCompShareSupportZoneRequest).await.unwrap();
    assert_eq!(zones.zone_info[0].zone, "z");
    let ports =
        client.describe_comp_share_software_port(&DescribeCompShareSoftwarePortRequest).await.unwrap();
    assert_eq!(ports.software_port[0].port, 22);
    assert_eq!(client.get_region(&GetRegionRequest).await.unwrap().regions[0].region, "r");
    let projects = client.get_project_list(&GetProjectListRequest).await.unwrap();
    assert_eq!(projects.project_set[0].project_id, "org-1");

    let actions: Vec<_> = server.seen().iter().map(|seen| seen.action().to_owned()).collect();
    let expected = [
        "CreateCompShareCustomImage",
        "GetCompShareImageCreateProgress",
        "UpdateCompShareImage",
        "TerminateCompShareCustomImage",
        "DescribeCompShareInstance",
        "DescribeCompShareSupportZone",
        "DescribeCompShareSoftwarePort",
        "GetRegion",
        "GetProjectList",
    ];
    assert_eq!(actions, expected);
    assert_eq!(server.seen()[2].text("Tags.1"), Some("其他"));
}

#[tokio::test]
async fn debug_text_never_shows_the_private_key() {
    let server = Server::start(|_, _| Answer::Json(json!({"RetCode": 0}))).await;
    for text in [format!("{:?}", server.config()), format!("{:#?}", server.client())] {
        assert!(text.contains("public+key") && !text.contains(PRIVATE_KEY), "{text}");
    }
}

/// Callers spawn: every future must be able to move between threads.
#[tokio::test]
async fn calls_can_be_spawned() {
    let server = Server::start(|_, _| Answer::Json(json!({"RetCode": 0}))).await;
    let client = server.client();
    let call = tokio::spawn(async move { client.get_region(&GetRegionRequest).await });
    assert!(call.await.unwrap().unwrap().regions.is_empty());
}

/// A slim container has no certificates, and plain HTTP needs none; a proxy does not lead to this machine. The
/// environment of a process cannot be changed safely, so another one runs a test.
#[test]
fn proxies_are_not_used_for_this_machine() {
    for variable in ["SSL_CERT_FILE", "http_proxy"] {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "calls::a_list_comes_back_typed"])
            .env(variable, "http://127.0.0.1:1/nothing-here")
            .env("SSL_CERT_DIR", "/nothing-here")
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && text.contains("1 passed"), "{variable}: {text}");
    }
}
