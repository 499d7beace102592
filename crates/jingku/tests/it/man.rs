//! `jingku man`: a page for each command, which groff formats without a warning.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use crate::home::{Ended, Home};

fn pages(folder: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn every_command_has_a_page_in_both_languages() {
    let home = Home::new();
    let [english, chinese] = ["en", "zh"].map(|lang| {
        let folder = home.path(lang);
        std::fs::create_dir(&folder).unwrap();
        home.run(&["man", folder.to_str().unwrap(), "--lang", lang]).succeeded();
        folder
    });
    assert_eq!(pages(&english), pages(&chinese));
    for page in ["jingku.1", "jingku-serve.1", "jingku-image-create.1", "jingku-lab-clock-set.1"] {
        assert!(pages(&english).contains(page), "{page}");
    }
    for (folder, texts) in [
        (&english, ["SYNOPSIS", "jingku image create", "Create an image from an instance"]),
        (&chinese, ["概述", "jingku image create", "用实例制作镜像"]),
    ] {
        for page in pages(folder) {
            let text = formatted(&home, &folder.join(&page));
            if page == "jingku-image-create.1" {
                assert!(texts.iter().all(|words| text.contains(words)), "{text}");
            }
        }
    }
}

/// The page as man shows it. A warning fails the test.
fn formatted(home: &Home, page: &Path) -> String {
    if Command::new("man").arg("--version").output().is_err() {
        assert!(std::env::var_os("CI").is_none(), "man has to be installed in CI");
        println!("not formatted: man is not installed");
        return std::fs::read_to_string(page).unwrap();
    }
    let arguments = ["--warnings", "--local-file", "--encoding=utf8", page.to_str().unwrap()];
    let mut man = home.other_command("man", &arguments);
    let ended = Ended::of(man.env("LC_ALL", "C.UTF-8").env("MANWIDTH", "200")).succeeded();
    assert_eq!(ended.err, "", "{}", page.display());
    // Lines are justified.
    ended.out.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_missing_directory_is_named() {
    Home::new().run(&["man", "missing"]).failed(6, &["missing/jingku.1"]);
}
