//! The three reasons to refuse a name have three messages, in both languages.

use compshare::actions::ImportCompShareCustomImageRequest;

use crate::client::{block_on, client};
use crate::disk;
use crate::home::Home;
use crate::server::Server;

/// Every command that gives an image a name.
fn commands<'a>(image: &'a str, name: &'a str) -> [Vec<&'a str>; 3] {
    [
        vec!["image", "create", "--instance", "uhost-1", "--name", name],
        vec!["image", "import", "disk.raw", "--name", name],
        vec!["image", "update", image, "--name", name],
    ]
}

#[test]
fn invalid_taken_and_reserved_names_have_their_own_messages() {
    let home = Home::new();
    let server = home.serve();
    home.add_instance("uhost-1", &disk::bytes(1, 0));
    let image = home.make("uhost-1", "env");
    let other = home.make("uhost-1", "other");
    disk::write(&home.path("disk.raw"), &disk::bytes(1, 1));
    let upload = begin_upload(&home, &server, "held");

    let long = "x".repeat(51);
    for bad in ["a b", "a/b", "é", &long] {
        for command in commands(&other, bad) {
            let (english, chinese) = ("1 to 50 Chinese characters", "1 到 50 个汉字");
            home.refuses(&command, 1, &["not a valid image name", english], &["不能用作镜像名称", chinese]);
        }
    }
    for command in &commands(&other, "")[..2] {
        home.refuses(command, 1, &["image name is empty"], &["镜像名称为空"]);
    }
    for command in commands(&other, "env") {
        let english = format!("Image {image} in this account already has this name");
        home.refuses(&command, 1, &[&english], &[&format!("该账号的镜像 {image} 已使用此名称")]);
    }
    let [create, _, update] = commands(&other, "held");
    for command in [create, update] {
        let english = format!("reserves this name for image {upload}");
        let chinese = format!("镜像 {upload}");
        home.refuses(&command, 1, &["An unfinished import", &english], &["尚未完成的导入", &chinese]);
    }
}

#[test]
fn the_help_states_the_rule_for_names() {
    let home = Home::new();
    for command in [
        &["image", "create"][..],
        &["image", "import"],
        &["image", "update"],
        &["image", "promote"],
        &["trash", "restore"],
    ] {
        let help = home.run(&[command, &["--help"]].concat()).succeeded().out;
        let words = help.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains("1 to 50 Chinese characters, ASCII letters, digits and _ , . : -"), "{help}");
        let help = home.run(&[command, &["--help", "--lang", "zh"]].concat()).succeeded().out;
        assert!(help.contains("1 到 50 个汉字"), "{help}");
    }
}

/// Starts an import without sending its file, and returns the id of the image.
fn begin_upload(home: &Home, server: &Server, name: &str) -> String {
    let request = ImportCompShareCustomImageRequest {
        name: name.into(),
        size_bytes: Some((1 << 20).into()),
        ..ImportCompShareCustomImageRequest::default()
    };
    block_on(async { client(home, server).start_import(&request).await.unwrap().image_id().to_owned() })
}
