//! Resources of other accounts look exactly like resources that do not exist.

use jingku_library::DiskFormat;
use jingku_protocol::actions::Action;

use crate::support::{Caller, INSTANCE, Service};

/// A picture of one pixel.
const GIF: &str = "R0lGODlhAQABAIAAAP///wAAACwAAAAAAQABAAACAkQBADs=";

/// The resource that an action's parameters name, which may belong to another account.
#[derive(Clone, Copy)]
pub(crate) enum Names {
    /// An image in the parameter with this name, beside these other parameters.
    Image(&'static str, &'static [(&'static str, &'static str)]),
    /// An instance, likewise.
    Instance(&'static str, &'static [(&'static str, &'static str)]),
    /// A group of images in the community, likewise.
    Group(&'static str, &'static [(&'static str, &'static str)]),
    /// No resource.
    Nothing,
}

/// Every action has one entry: see CONTRIBUTING.md.
pub(crate) const CASES: &[(Action, Names)] = &[
    (Action::CopyCompShareCustomImage, Names::Image("CompShareImageId", &[("TargetImageName", "stolen")])),
    (Action::AddFavoriteImage, Names::Image("CompShareImageId", &[])),
    (Action::CreateCompShareImageFavorite, Names::Group("GroupId", &[])),
    (Action::DeleteCompShareImageFavorite, Names::Group("GroupId", &[])),
    (Action::DescribeCommunityImages, Names::Image("CompShareImageId", &[])),
    (Action::DescribeCompShareImageTags, Names::Nothing),
    (Action::DescribeFavoriteImages, Names::Nothing),
    (Action::DescribeSelfCommunityImages, Names::Image("CompShareImageId", &[])),
    (
        Action::DescribeUserCommunityImages,
        Names::Image("CompShareImageId", &[("TargetTopOrganizationId", "1")]),
    ),
    (Action::PublishCompShareImage, Names::Image("CompShareImageId", &[("GroupId", "stolen")])),
    (Action::RemoveFavoriteImage, Names::Image("CompShareImageId", &[])),
    (Action::CheckCompShareNetOptimizer, Names::Nothing),
    (Action::CheckCompShareResourceCapacity, Names::Nothing),
    (Action::CreateCompShareCustomImage, Names::Instance("UHostId", &[("Name", "stolen")])),
    (Action::CreateCompShareInstance, Names::Image("CompShareImageId", &[("GpuType", "CPU")])),
    (Action::CreateCscliEvent, Names::Nothing),
    (Action::DescribeAvailableCompShareInstanceTypes, Names::Nothing),
    (Action::DescribeCompShareCustomImageSyncDetail, Names::Image("CompShareImageId", &[])),
    (Action::DescribeCompShareCustomImages, Names::Image("CompShareImageId", &[])),
    (Action::DescribeCompShareGpuInventory, Names::Nothing),
    // The id filters the caller's own log: see the tests of the action.
    (Action::DescribeCompShareImageActivity, Names::Nothing),
    (Action::DescribeCompShareImageShareAccounts, Names::Image("CompShareImageId", &[])),
    (Action::DescribeCompShareImageUsage, Names::Image("CompShareImageId", &[])),
    (Action::DescribeCompShareImages, Names::Image("CompShareImageId", &[])),
    (Action::DescribeCompShareInstance, Names::Instance("UHostIds.0", &[])),
    (Action::DescribeCompShareMachineTypeFamilies, Names::Nothing),
    (Action::DescribeCompShareSharingImages, Names::Image("CompShareImageId", &[])),
    (Action::DescribeCompShareSoftwarePort, Names::Nothing),
    (Action::DescribeCompShareSupportZone, Names::Nothing),
    (Action::DescribeCompShareTrashedImages, Names::Image("CompShareImageIds.0", &[])),
    (Action::PurgeCompShareTrashedImages, Names::Image("CompShareImageIds.0", &[])),
    (Action::RestoreCompShareCustomImage, Names::Image("CompShareImageIds.0", &[])),
    (Action::DescribeModelRepositoryModels, Names::Nothing),
    (Action::ExportCompShareCustomImage, Names::Image("CompShareImageId", &[])),
    (Action::GetCompShareCustomImageUrl, Names::Image("CompShareImageId", &[])),
    (Action::GetCompShareImageCreateProgress, Names::Image("CompShareImageId", &[])),
    (Action::GetCompShareInstancePrice, Names::Nothing),
    (Action::GetCompShareInstanceUpgradePrice, Names::Instance("UHostId", &[("GPU", "2")])),
    (Action::GetCompShareInstanceUserPrice, Names::Nothing),
    (Action::GetCompShareRefundPrice, Names::Instance("UHostIds.0", &[])),
    (Action::GetProjectList, Names::Nothing),
    (Action::GetRegion, Names::Nothing),
    (Action::ImportCompShareCustomImage, Names::Nothing),
    (Action::ModifyCompShareImageShareAccount, Names::Image("CompShareImageId", &[("AddAccounts.0", "2")])),
    (Action::RebootCompShareInstance, Names::Instance("UHostId", &[])),
    (
        Action::ReinstallCompShareInstance,
        Names::Instance("UHostId", &[("CompShareImageId", "compshareImage-1nowherenone")]),
    ),
    (Action::ResetCompShareInstancePassword, Names::Instance("UHostId", &[("Password", "UGFzc3cwcmQx")])),
    (Action::StartCompShareInstance, Names::Instance("UHostId", &[])),
    (Action::StopCompShareInstance, Names::Instance("UHostId", &[])),
    (
        Action::SyncCompShareCustomImage,
        Names::Image("SourceCompShareImageId", &[("TargetZoneIds.0", "5001")]),
    ),
    (Action::TerminateCompShareCustomImage, Names::Image("CompShareImageId", &[])),
    (Action::TerminateCompShareInstance, Names::Instance("UHostId", &[])),
    (
        Action::UpdateCompShareImage,
        Names::Image("CompShareImageId", &[("Name", "stolen"), ("Tags.0", "mine"), ("Cover", GIF)]),
    ),
    (Action::CreateCompShareImageWebhook, Names::Nothing),
    (Action::DeleteCompShareImageWebhook, Names::Nothing),
    (Action::DescribeCompShareImageWebhookDeliveries, Names::Nothing),
    (Action::DescribeCompShareImageWebhooks, Names::Nothing),
    (Action::RetryCompShareImageWebhookDelivery, Names::Nothing),
    (Action::DeleteCompShareStopScheduler, Names::Instance("UHostId", &[])),
    (Action::DescribeCompShareJupyterToken, Names::Instance("UHostIds.0", &[])),
    (Action::GetCompShareInstanceMonitor, Names::Instance("UHostIds.0", &[])),
    (Action::GetSoftwareUrl, Names::Instance("UHostId", &[("Software", "JupyterLab")])),
    (Action::ModifyCompShareInstanceName, Names::Instance("UHostId", &[("Name", "stolen")])),
    (Action::ResizeCompShareInstance, Names::Instance("UHostId", &[("Cpu", "1")])),
    (Action::SwitchChargeType, Names::Instance("UHostId", &[("DestChargeType", "Day")])),
    (Action::UpdateCompShareInstancePorts, Names::Instance("UHostId", &[("HttpPorts.0", "80")])),
    (
        Action::UpdateCompShareStopScheduler,
        Names::Instance("UHostId", &[("SchedulerStopTime", "253402300799")]),
    ),
];

/// The status, content type and body of a reply, with placeholders for the requested id and the request id.
async fn answer(caller: &Caller, action: Action, params: &[(&str, &str)], id: &str) -> String {
    let reply = caller.call(action, params).await;
    let request_id = reply.headers["x-ucloud-request-uuid"].to_str().unwrap();
    let body = std::str::from_utf8(&reply.body).unwrap();
    let body = body.replace(request_id, "REQUEST").replace(id, "ID");
    format!("{} {} {body}", reply.status, reply.headers["content-type"].to_str().unwrap())
}

#[tokio::test]
async fn foreign_resources_look_like_missing_ones() {
    let service = Service::start().await;
    let (_, stranger) = service.stranger().await;
    let owner = service.caller();
    let mut baselines = Vec::new();
    for (action, _) in CASES {
        baselines.push(answer(&stranger, *action, &[], "-").await);
    }

    // For their owner, each of these gets a different reply: usable, busy, without a disk.
    let gone = service.disk("gone.raw", DiskFormat::Raw, 3);
    service.instance("uhost-gone", &gone).await;
    std::fs::remove_file(gone).unwrap();
    service.instance("uhost-busy", &service.disk("busy.raw", DiskFormat::Raw, 2)).await;
    let available = service.make(INSTANCE, "secret").await;
    let making = owner.create("uhost-busy", "secret-too").await;
    service.instance("uhost-other", &service.disk("other.raw", DiskFormat::Raw, 4)).await;
    let in_review = service.make("uhost-other", "secret-in-review").await;
    let group = owner.publish(&in_review, &[("Tags.0", "secret-tag")]).await;
    let (images, instances) = ([&*available, &making, &in_review], [INSTANCE, "uhost-busy", "uhost-gone"]);
    let groups = [&*group];
    let (before, seen) = (owner.everything().await, stranger.everything().await);
    assert!(seen.iter().all(|list| list["TotalCount"] == 0), "{seen:?}");

    for ((action, names), baseline) in CASES.iter().zip(baselines) {
        // The calls of this test are in the log of their caller.
        if *action != Action::DescribeCompShareImageActivity {
            assert_eq!(answer(&stranger, *action, &[], "-").await, baseline, "{action:?}");
        }
        let (name, rest, foreign, missing) = match names {
            Names::Image(name, rest) => (name, rest, &images[..], "compshareImage-1nowherenone"),
            Names::Instance(name, rest) => (name, rest, &instances[..], "uhost-none"),
            Names::Group(name, rest) => (name, rest, &groups[..], "9WFDPteiVhX5"),
            Names::Nothing => continue,
        };
        // In the resource's zone, in another zone, and without a zone.
        for zone in ["cn-wlcb-01", "cn-sh2-02", ""] {
            let ask = async |id| {
                let params = [&[(*name, id), ("Zone", zone)], *rest].concat();
                answer(&stranger, *action, &params, id).await
            };
            let expected = ask(missing).await;
            for id in foreign {
                assert_eq!(ask(id).await, expected, "{action:?} of {id}");
            }
        }
    }
    assert_eq!(owner.everything().await, before, "another account changed something");
    assert_eq!(stranger.everything().await, seen);
}

#[tokio::test]
async fn a_foreign_token_reveals_nothing() {
    let service = Service::start().await;
    let (_, stranger) = service.stranger().await;
    service.add_images(&[("image-1", 1), ("image-2", 2)]).await;
    let list = Action::DescribeCompShareCustomImages;
    let token = service.caller().ok(list, &[("Limit", "1")]).await["NextToken"].clone();
    let reply = stranger.ok(list, &[("NextToken", token.as_str().unwrap())]).await;
    assert_eq!((&reply["TotalCount"], reply["ImageSet"].as_array().unwrap().len()), (&0.into(), 0));
}

#[tokio::test]
async fn accounts_see_only_their_own_instances() {
    let service = Service::start().await;
    let (account, stranger) = service.stranger().await;
    service.instance_of(account, "uhost-theirs", &service.disk("theirs.raw", DiskFormat::Raw, 2), None).await;
    for (caller, own) in [(service.caller(), INSTANCE), (stranger, "uhost-theirs")] {
        let reply = caller.ok(Action::DescribeCompShareInstance, &[]).await;
        assert_eq!((&reply["TotalCount"], &reply["UHostSet"][0]["UHostId"]), (&1.into(), &own.into()));
    }
}

/// No filter of the lists reveals a group in review.
#[tokio::test]
async fn a_group_in_review_looks_like_a_missing_one() {
    let service = Service::start().await;
    let (_, stranger) = service.stranger().await;
    service.add_images(&[("image-1", 1)]).await;
    let group = service.caller().publish("image-1", &[("Tags.0", "secret")]).await;
    for list in [
        Action::DescribeCommunityImages,
        Action::DescribeSelfCommunityImages,
        Action::DescribeUserCommunityImages,
    ] {
        for (name, value) in
            [("GroupId", &*group), ("Name", "image-1"), ("Tag", "secret"), ("Author", "default")]
        {
            let reply = stranger.ok(list, &[("TargetTopOrganizationId", "1"), (name, value)]).await;
            assert_eq!(
                (&reply["TotalCount"], &reply["AvailableTotalCount"]),
                (&0.into(), &0.into()),
                "{list:?} {name}"
            );
        }
    }
}
