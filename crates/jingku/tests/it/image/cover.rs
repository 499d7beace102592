//! Covers: from a local file to a URL.

use crate::disk;
use crate::home::Home;

/// A GIF of one pixel.
const GIF: &[u8] =
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00\x2c\x00\x00\x00\x00\x01\x00\x01\x00\
                     \x00\x02\x02\x44\x01\x00\x3b";

#[test]
fn a_cover_is_set_shown_and_cleared() {
    let home = Home::new();
    home.add_instance("uhost-1", &disk::bytes(1, 0));
    let server = home.serve();
    let id = home.make("uhost-1", "env");
    std::fs::write(home.path("cover.gif"), GIF).unwrap();
    let update = |file: &'static str| ["image", "update", &id, "--cover", file].map(str::to_owned);
    let run = |file| home.run(&update(file).each_ref().map(String::as_str));

    run("cover.gif").succeeded();
    let shown = home.json(&["image", "show", &id]);
    let url = shown["Cover"].as_str().unwrap();
    let path = url.strip_prefix(&server.base_url).unwrap();
    assert!(path.starts_with("/covers/"), "{url}");
    assert_eq!(server.get_bytes(path), GIF);
    assert!(home.run(&["image", "show", &id]).succeeded().out.contains(url));

    std::fs::write(home.path("cover.svg"), "<svg/>").unwrap();
    std::fs::write(home.path("nothing"), "").unwrap();
    for (file, english, chinese) in [
        ("cover.svg", &["Params [Cover] not available", "PNG, JPEG, WebP or GIF"], &["[Cover]", "512 KiB"]),
        ("nothing", &["nothing is empty", "PNG, JPEG, WebP or GIF"], &["nothing 是空的", "512 KiB"]),
        (
            "missing.png",
            &["Cannot use missing.png", "No such file"],
            &["无法使用 missing.png", "No such file"],
        ),
        (".", &["Cannot use .", "directory"], &["无法使用 .", "directory"]),
    ] {
        home.refuses(&update(file).each_ref().map(String::as_str), 1, english, chinese);
    }
    assert_eq!(home.json(&["image", "show", &id])["Cover"], url, "a refused picture leaves the old one");

    run("").succeeded();
    assert_eq!(home.json(&["image", "show", &id])["Cover"], "");
}

#[test]
fn the_url_of_a_cover_starts_with_the_public_url() {
    let home = Home::new();
    home.add_instance("uhost-1", &disk::bytes(1, 0));
    std::fs::write(home.path("cover.gif"), GIF).unwrap();
    std::fs::write(home.path("jingku.toml"), "public_url = 'https://images.example.com/lab/'\n").unwrap();
    let _server = home.serve_with(&["--config", "jingku.toml"], &[]);
    let id = home.make("uhost-1", "env");
    let cover = home.json(&["image", "update", &id, "--cover", "cover.gif"])["Cover"].clone();
    assert!(cover.as_str().unwrap().starts_with("https://images.example.com/lab/covers/"), "{cover}");
}
