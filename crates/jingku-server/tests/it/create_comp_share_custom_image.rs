mod containers;
mod estimate;

use std::fs::File;
use std::os::unix::fs::FileExt;

use jingku_library::{DiskFormat, NewInstance};
use jingku_protocol::actions::Action;
use serde_json::json;

use crate::support::{INSTANCE, NOW, Service};

const CREATE: Action = Action::CreateCompShareCustomImage;
const GB: u64 = 1 << 30;

#[tokio::test]
async fn a_new_image_is_listed_at_once_as_making() {
    let service = Service::start().await;
    let caller = service.caller();
    service.clock.set(NOW + 7);
    let params = [
        ("UHostId", INSTANCE),
        ("Name", "训练环境_v1.2"),
        ("Description", "torch, and 镜库"),
        ("Softwares.Framework", "PyTorch"),
        ("Softwares.FrameworkVersion", "2.3.0"),
        ("Softwares.CUDAVersion", "12.4"),
        ("Softwares.Application.0", "JupyterLab"),
        ("Softwares.Application.1", "SSH"),
        ("SoftwarePorts.0.Software", "JupyterLab"),
        ("SoftwarePorts.0.Port", "8888"),
        ("FirewallPorts.0", "22"),
        ("FirewallPorts.1", "65535"),
        ("az_group", "1"),
    ];
    let reply = caller.ok(CREATE, &params).await;
    let id = reply["CompShareImageId"].as_str().unwrap();
    let random = id.strip_prefix("compshareImage-1").expect("ids have the format of the real service");
    assert!(
        random.len() == 11 && random.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase())
    );

    let image = caller.image(id).await;
    for (field, expected) in [
        ("Name", json!("训练环境_v1.2")),
        ("Status", json!("Making")),
        ("Description", json!("torch, and 镜库")),
        ("SoftwarePorts", json!([{"Software": "JupyterLab", "Port": 8888}])),
        ("FirewallPorts", json!([22, 65535])),
        ("CreateTime", json!(NOW + 7)),
        ("Zone", json!("cn-wlcb-01")),
        ("SourceGpuType", json!("4090")),
        ("FailedReason", json!("")),
    ] {
        assert_eq!(image[field], expected, "{field}");
    }
    let softwares = json!({
        "Framework": "PyTorch", "FrameworkVersion": "2.3.0", "CUDAVersion": "12.4", "PythonVersion": "",
        "OsVersion": "", "FrameworkVersionIndex": 0, "Applications": ["JupyterLab", "SSH"],
    });
    assert_eq!(image["Softwares"], softwares);
    let instances = caller.ok(Action::DescribeCompShareInstance, &[]).await;
    assert_eq!(instances["UHostSet"][0]["State"], "ImageMaking");
}

/// The warning from the declaration of the instance is in the reply and in the progress reply. An explicit format `raw`
/// suppresses it.
#[tokio::test]
async fn an_unrecognized_disk_is_accepted_with_a_warning() {
    let service = Service::start().await;
    let caller = service.caller();
    let unknown = service.disk("unknown.raw", DiskFormat::Raw, 2);
    // Without the boot signature, the disk has no structure that the server recognizes.
    File::options().write(true).open(&unknown).unwrap().write_all_at(&[0], 510).unwrap();
    service.instance("uhost-unknown", &unknown).await;
    let zeros = service.folder.path().join("zeros.raw");
    File::create(&zeros).unwrap().set_len(1 << 20).unwrap();
    service.instance("uhost-zeros", &zeros).await;
    let new = NewInstance {
        id: "uhost-raw",
        name: None,
        account: 1,
        zone: None,
        disk: &unknown,
        format: Some(DiskFormat::Raw),
        gpu_type: "",
    };
    service.context.library.add_instance(new).await.unwrap();
    for (instance, warned) in [("uhost-unknown", 1), ("uhost-zeros", 0), ("uhost-raw", 0)] {
        let reply = caller.ok(CREATE, &[("UHostId", instance), ("Name", instance)]).await;
        let warnings = reply["Warnings"].as_array().unwrap();
        assert_eq!(warnings.len(), warned, "{instance}: {warnings:?}");
        let id = reply["CompShareImageId"].as_str().unwrap();
        service.finish_job(id).await;
        let progress = caller.ok(Action::GetCompShareImageCreateProgress, &[("CompShareImageId", id)]).await;
        assert_eq!(progress["Warnings"], reply["Warnings"], "{instance}");
        assert_eq!(progress["Status"], "Available");
    }
}

/// Each call has one error less than the call before. The server reports the first error.
#[tokio::test]
async fn refusals_follow_the_documented_order() {
    let service = Service::start().await;
    let caller = service.caller();
    service.instance("uhost-busy", &service.disk("busy.raw", DiskFormat::Raw, 2)).await;
    caller.create("uhost-busy", "taken").await;
    for (params, code, message) in [
        (vec![("Region", "moon")], 210, "Missing params [UHostId]"),
        (vec![("UHostId", "uhost-none"), ("Region", "moon")], 210, "Missing params [Name]"),
        (
            vec![("UHostId", "uhost-none"), ("Name", "a b"), ("Region", "moon")],
            230,
            "Params [Name] not available",
        ),
        (
            vec![
                ("UHostId", "uhost-none"),
                ("Name", "taken"),
                ("SoftwarePorts.0.Port", "x"),
                ("Region", "moon"),
            ],
            230,
            "Params [SoftwarePorts] not available",
        ),
        (
            vec![
                ("UHostId", "uhost-none"),
                ("Name", "taken"),
                ("FirewallPorts", "65536"),
                ("Region", "moon"),
            ],
            230,
            "Params [FirewallPorts] not available",
        ),
        (
            vec![("UHostId", "uhost-none"), ("Name", "taken"), ("Region", "moon")],
            230,
            "Params [Region] not available",
        ),
        (
            vec![("UHostId", "uhost-none"), ("Name", "taken"), ("Zone", "cn-sh2-02")],
            8039,
            "Resource not exist [uhost-none]",
        ),
        (
            vec![("UHostId", "uhost-busy"), ("Name", "taken"), ("Zone", "cn-sh2-02")],
            230,
            "Params [Zone] not available",
        ),
        (vec![("UHostId", "uhost-busy"), ("Name", "taken")], 8964, "UHost [uhost-busy] is making image"),
        (vec![("UHostId", INSTANCE), ("Name", "taken")], 230, "Params [Name] not available"),
    ] {
        caller.assert_refused(CREATE, &params, code, message).await;
    }
    caller.create(INSTANCE, "free").await;
}

#[tokio::test]
async fn names_are_limited_in_characters_and_length() {
    let service = Service::start().await;
    let caller = service.caller();
    for bad in ["a b", "a/b", "naïve", "镜像。", "\u{9fa6}", "a\n", &"镜".repeat(51)] {
        let params = [("UHostId", INSTANCE), ("Name", bad)];
        caller.assert_refused(CREATE, &params, 230, "Params [Name] not available").await;
    }
    let longest = "镜".repeat(50);
    let id = caller.create(INSTANCE, &longest).await;
    assert_eq!(caller.image(&id).await["Name"], longest);
}

#[tokio::test]
async fn texts_and_lists_have_a_maximum_length() {
    let service = Service::start().await;
    let caller = service.caller();
    let instance = [("UHostId", INSTANCE), ("Name", "env")];
    let (word, description) = ("词".repeat(64), "文".repeat(1000));
    let (long_word, long_description) = ("词".repeat(65), "文".repeat(1001));
    let (list, long_list) = (format!("[{}1]", "1,".repeat(31)), format!("[{}1]", "1,".repeat(32)));
    for (name, bad, named) in [
        ("Description", &long_description, "Description"),
        ("Softwares.Framework", &long_word, "Softwares.Framework"),
        ("Softwares.OsVersion", &long_word, "Softwares.OsVersion"),
        ("Softwares.Application.0", &long_word, "Softwares.Application"),
        ("Softwares.Applications", &long_list, "Softwares.Applications"),
        ("FirewallPorts", &long_list, "FirewallPorts"),
    ] {
        let params = [&instance[..], &[(name, bad)]].concat();
        caller.assert_refused(CREATE, &params, 230, &format!("Params [{named}] not available")).await;
    }
    let at_the_limit = [
        ("Description", description.as_str()),
        ("Softwares.Framework", &word),
        ("Softwares.Application.0", &word),
        ("SoftwarePorts.0.Software", &word),
        ("SoftwarePorts.0.Port", "1"),
        ("FirewallPorts", &list),
    ];
    let params = [&instance[..], &at_the_limit].concat();
    let id = caller.ok(CREATE, &params).await["CompShareImageId"].clone();
    assert_eq!(caller.image(id.as_str().unwrap()).await["FirewallPorts"].as_array().unwrap().len(), 32);
}

#[tokio::test]
async fn region_and_zone_are_optional_and_must_match_the_instance() {
    let service = Service::start().await;
    let caller = service.caller();
    let params = [("UHostId", INSTANCE), ("Name", "here")];
    caller.assert_place_is_checked(CREATE, &params).await;
    let elsewhere = [&params[..], &[("Region", "cn-sh2")]].concat();
    caller.assert_refused(CREATE, &elsewhere, 230, "Params [Zone] not available").await;
    let here = [&params[..], &[("Region", "cn-wlcb"), ("Zone", "cn-wlcb-01")]].concat();
    caller.ok(CREATE, &here).await;
}

#[tokio::test]
async fn strict_mode_requires_region_and_zone() {
    let service = Service::strict().await;
    let params = [("UHostId", INSTANCE), ("Name", "strict")];
    let place = [("Region", "cn-wlcb"), ("Zone", "cn-wlcb-01")];
    service.caller().assert_required(CREATE, &params, &place).await;
}

#[tokio::test]
async fn a_repeated_call_creates_one_image() {
    let service = Service::start().await;
    let caller = service.caller();
    let params = [("UHostId", INSTANCE), ("Name", "once")];
    let id = service.make(INSTANCE, "once").await;
    caller.assert_refused(CREATE, &params, 230, "Params [Name] not available").await;
    caller.ok(Action::TerminateCompShareCustomImage, &[("CompShareImageId", &id)]).await;
    caller.ok(CREATE, &params).await;
    let busy = format!("UHost [{INSTANCE}] is making image");
    caller.assert_refused(CREATE, &params, 8964, &busy).await;
    assert_eq!(caller.images(&[]).await.len(), 1);
}

#[tokio::test]
async fn another_account_may_use_the_same_name() {
    let service = Service::start().await;
    service.caller().create(INSTANCE, "same").await;
    let (account, stranger) = service.stranger().await;
    service.instance_of(account, "uhost-theirs", &service.disk("theirs.raw", DiskFormat::Raw, 2), None).await;
    stranger.create("uhost-theirs", "same").await;
}

#[tokio::test]
async fn a_disk_of_more_than_1000_gb_is_refused() {
    let service = Service::start().await;
    let caller = service.caller();
    for (id, size_bytes) in
        [("uhost-most", 1000 * GB), ("uhost-more", 1000 * GB + 512), ("uhost-1001", 1001 * GB)]
    {
        let path = service.folder.path().join(id);
        File::create_new(&path).unwrap().set_len(size_bytes).unwrap();
        service.instance(id, &path).await;
    }
    for id in ["uhost-more", "uhost-1001"] {
        let message = format!("UHost [{id}] disk is larger than an image may be, 1000 GB");
        caller.assert_refused(CREATE, &[("UHostId", id), ("Name", "large")], 8095, &message).await;
    }
    caller.create("uhost-most", "large").await;
}

#[tokio::test]
async fn a_disk_that_differs_from_its_declaration_is_refused() {
    let service = Service::start().await;
    let caller = service.caller();
    let path = service.disk("other.raw", DiskFormat::Raw, 2);
    service.instance("uhost-other", &path).await;
    let params = [("UHostId", "uhost-other"), ("Name", "other")];
    let refused = async |why: &str| {
        let message = format!("UHost [uhost-other] cannot be read. {why}");
        caller.assert_refused(CREATE, &params, 8905, &message).await;
    };

    File::options().append(true).open(&path).unwrap().set_len(512).unwrap();
    refused(
        "The disk of the instance is not the one that was declared. Ask the operator to declare it again.",
    )
    .await;
    std::fs::remove_file(&path).unwrap();
    refused("The disk of the instance is not there. Ask the operator to put it back.").await;
    std::fs::create_dir(&path).unwrap();
    refused("The disk of the instance cannot be used. Ask the operator to look at it.").await;
}

#[tokio::test]
async fn a_running_instance_is_refused() {
    let service = Service::start().await;
    let caller = service.caller();
    let disk = File::options().read(true).write(true).open(service.folder.path().join("lab1.raw")).unwrap();
    lock_like_qemu(&disk);
    let message = format!("UHost [{INSTANCE}] power state is not available");
    let params = [("UHostId", INSTANCE), ("Name", "running")];
    caller.assert_refused(CREATE, &params, 8905, &message).await;
    drop(disk);
    caller.ok(CREATE, &params).await;
}

/// QEMU holds a shared lock on byte 101 of a disk that it may write to.
fn lock_like_qemu(disk: &File) {
    use nix::fcntl::{FcntlArg, fcntl};
    use nix::libc;

    let lock = libc::flock {
        l_type: libc::F_RDLCK.try_into().unwrap(),
        l_whence: libc::SEEK_SET.try_into().unwrap(),
        l_start: 101,
        l_len: 1,
        l_pid: 0,
    };
    fcntl(disk, FcntlArg::F_OFD_SETLK(&lock)).unwrap();
}
