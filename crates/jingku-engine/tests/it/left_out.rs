//! Hard links to files that are left out, whose files are fetched again from an engine.

use std::io::Read;

use jingku_sources::tree::{Filter, Refetch, Rules};
use tar::EntryType;

use crate::on_each_engine;

#[tokio::test(flavor = "multi_thread")]
async fn links_to_what_is_left_out_keep_it() {
    on_each_engine(|under_test, engine| async move {
        let id = under_test.container(&[]);
        let script =
            "mkdir /cache; echo content > /cache/file; ln /cache/file /kept; ln /cache/file /kept-too
            ln -s nowhere /cache/link; ln /cache/link /kept-link";
        under_test.run(&["exec", &id, "/bin/sh", "-c", script]);
        let (export, fetching) = (engine.export(&id), engine.clone());
        let runtime = tokio::runtime::Handle::current();
        let refetch: Refetch = Box::new(move |path| {
            let _runtime = runtime.enter();
            Ok(Box::new(fetching.export_file(&id, &format!("/{}", std::str::from_utf8(path).unwrap()))))
        });
        let mut rules = Rules::default();
        rules.ignore(b"/cache").unwrap();
        let image = tokio::task::spawn_blocking(move || {
            let mut image = Vec::new();
            Filter::new(export, rules, refetch).read_to_end(&mut image).unwrap();
            image
        });
        let image = image.await.unwrap();
        let mut found = Vec::new();
        for entry in tar::Archive::new(&image[..]).entries().unwrap() {
            let mut entry = entry.unwrap();
            let path = String::from_utf8_lossy(&entry.path_bytes()).trim_start_matches("./").to_owned();
            let link = entry.link_name_bytes().map(|link| String::from_utf8_lossy(&link).into_owned());
            if path.starts_with("kept") {
                let mut content = String::new();
                entry.read_to_string(&mut content).unwrap();
                found.push((path, entry.header().entry_type(), link.unwrap_or_default() + &content));
            }
        }
        let expected = [
            ("kept", EntryType::Regular, "content\n"),
            ("kept-link", EntryType::Symlink, "nowhere"),
            ("kept-too", EntryType::Link, "kept"),
        ];
        assert_eq!(found, expected.map(|(path, kind, text)| (path.to_owned(), kind, text.to_owned())));
    })
    .await;
}
