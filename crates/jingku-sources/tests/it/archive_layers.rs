//! Layers with unusual entries, and links between them.

use std::io;

use tar::EntryType;

use crate::archive::{
    config, directory, file, files, flat, gzip, layer, link, oci, oci_with, open, pairs, refusal, save,
};

fn symlink<'a>(path: &'a str, to: &'a str) -> (EntryType, &'a str, &'a str) {
    (EntryType::Symlink, path, to)
}

fn error(layers: &[Vec<u8>]) -> String {
    flat(&oci(layers)).unwrap_err()
}

#[test]
fn a_layer_may_end_without_a_mark() {
    let mut plain = layer(&[file("a", "a")]);
    plain.truncate(1024);
    assert_eq!(files(&oci(&[plain.clone(), Vec::new()])), pairs([("a", "a")]));
    plain.truncate(700);
    assert_eq!(error(&[plain.clone()]), "a layer is cut off");
    plain.truncate(500);
    assert_eq!(error(&[plain]), "the archive is cut off");
}

#[test]
fn data_after_the_end_of_a_layer_is_refused() {
    let two = [layer(&[file("a", "")]), layer(&[file("b", "")])].concat();
    assert_eq!(error(&[two]), "the archive has data after its end");
}

#[test]
fn a_directory_that_was_a_file_hides_what_was_below() {
    for between in [layer(&[file("d", "")]), layer(&[symlink("d", "x")])] {
        let layers = [
            layer(&[directory("d/"), file("d/old", "")]),
            between,
            layer(&[directory("d/"), file("d/new", "")]),
        ];
        assert_eq!(files(&oci(&layers)), pairs([("d/", ""), ("d/new", "")]));
    }
}

#[test]
fn the_root_can_be_opaque() {
    let layers =
        [layer(&[file("a", ""), file("d/b", "")]), layer(&[file(".wh..wh..opq", ""), file("c", "")])];
    assert_eq!(files(&oci(&layers)), pairs([("c", "")]));
}

#[test]
fn odd_whiteouts_are_refused_or_ignored() {
    for (path, why) in [
        (".wh.", "removes nothing"),
        ("d/.wh.", "removes nothing"),
        ("d/.wh...", "is no path below the root"),
        (".wh.d/x", "is in a removed file"),
    ] {
        let error = error(&[layer(&[file(path, "")])]);
        assert!(error.contains(why), "{path}: {error}");
    }
    // Of AUFS.
    let plain = layer(&[
        file(".wh..wh.aufs", ""),
        directory(".wh..wh.plnk/"),
        file(".wh..wh.plnk/1.2", ""),
        file("a", ""),
    ]);
    assert_eq!(files(&oci(&[plain])), pairs([("a", "")]));
}

#[test]
fn a_link_that_a_higher_layer_leads_through_is_refused() {
    let layers = [layer(&[directory("usr/"), symlink("lib", "usr")]), layer(&[file("lib/x", "")])];
    assert!(error(&layers).contains("a higher layer has files in it"));
    for entries in [
        [file("a/x", ""), symlink("a", "/etc")],
        [directory("a/"), symlink("a", "/etc")],
        [file("a", ""), directory("a/")],
    ] {
        let error = error(&[layer(&entries)]);
        assert!(error.contains("is there twice"), "{error}");
    }
    assert!(error(&[layer(&[file("./", "")])]).contains("the name of a directory"));
}

/// As after `conda clean` in a layer of its own.
#[test]
fn many_links_to_removed_files_keep_their_content() {
    let names: Vec<(String, String)> =
        (0..500).map(|n| (format!("pkgs/{n}"), format!("share/{n}"))).collect();
    let mut entries: Vec<_> = names.iter().map(|(pkg, _)| file(pkg, pkg)).collect();
    entries.extend(names.iter().map(|(pkg, share)| link(share, pkg)));
    entries.extend([symlink("pkgs/s", "there"), link("share/s", "pkgs/s"), link("share/again", "pkgs/7")]);
    let found = files(&oci(&[layer(&entries), layer(&[file(".wh.pkgs", "")])]));
    assert_eq!(found.len(), 502);
    assert!(names.iter().all(|(pkg, share)| found[share] == *pkg));
    assert_eq!((&*found["share/s"], &*found["share/again"]), ("there", "share/7"));
}

#[test]
fn links_to_links_come_after_them() {
    let layers =
        [layer(&[file("low", "x")]), layer(&[link("b", "low")]), layer(&[link("c", "b"), link("d", "c")])];
    let found = flat(&oci(&layers)).unwrap();
    let paths: Vec<&str> = found.iter().map(|(path, _)| &**path).collect();
    assert_eq!(paths, ["low", "b", "c", "d"]);
    assert!(error(&[layer(&[link("a", "b"), link("b", "a")])]).contains("links to nothing"));
    assert!(error(&[layer(&[link("a", "b"), file("a/x", "")])]).contains("leads through"));
}

#[test]
fn what_is_hidden_or_follows_the_end_counts_as_unpacked() {
    let removed = layer(&vec![file(".wh.a", ""); 5000]);
    let padded = [layer(&[file("a", "")]), vec![0; 2 << 20]].concat();
    for plain in [removed, padded] {
        let saved = oci_with(&config(std::slice::from_ref(&plain)), &[gzip(&plain)]);
        let error = io::copy(&mut open(&saved).flatten(1 << 20), &mut io::sink()).unwrap_err();
        assert_eq!(error.to_string(), "it unpacks to more than it may");
    }
}

#[test]
fn many_layers_take_one_descriptor() {
    let layers = vec![layer(&[file("a", "")]); 900];
    let mut unique = oci_with(&config(&layers), &layers[..0]);
    assert!(refusal(&unique).contains("names 900 layers"));
    let open_files = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    unique = crate::archive::docker_of_equal_layers(&layers);
    let before = open_files();
    let archive = open(&unique);
    // Other tests run meanwhile.
    assert!(open_files() < before + 500);
    drop(archive);
}

#[test]
fn an_archive_that_is_cut_off_or_has_long_names_is_refused() {
    let saved = oci(&[layer(&[file("a", "a")])]);
    let bytes = std::fs::read(&saved.path).unwrap();
    std::fs::write(&saved.path, &bytes[..bytes.len() - 4096]).unwrap();
    assert_eq!(refusal(&saved), "the archive is cut off");
    let saved = save(&[("first".to_owned(), Vec::new()), ("x".repeat(200) + &"/y".repeat(2000), Vec::new())]);
    assert_eq!(refusal(&saved), "an entry has a path of more than 4095 bytes");
}
