//! Root directories of containers, read directly and compared with what the engine exports.

use std::collections::BTreeMap;
use std::io::Read as _;

use jingku_engine::testing::Kind;
use jingku_sources::tree::Root;
use rustix::fs::{XattrFlags, setxattr};
use tar::Archive;

use crate::on_each_engine;

const FILES: &str = "mkdir -p /work/deep /mounted && cd /work && echo data > plain && ln plain hard && ln -s plain soft \
     && ln soft soft-hard && chown 12:34 plain && chmod 4750 plain && mkfifo fifo && mknod device c 1 3 \
     && mknod block b 7 300 && dd if=/dev/zero of=sparse bs=1 count=1 seek=9999999 2>/dev/null && mkdir sticky \
     && chmod 1777 sticky && printf x > \"$(printf 'odd\\377name')\" && echo e > \"$(printf 'n\\303\\251')\" \
     && echo long > deep/$(printf 'n%.0s' $(seq 200)) && ln -s $(printf 't%.0s' $(seq 150)) long-link \
     && a=$(printf 'a%.0s' $(seq 60)) && mkdir -p $a/$a && echo x > $a/$a/x && chown 3000000:4000000 $a \
     && echo > a && echo > a-b && echo > a.b && mkdir a_ && echo > a_/b && touch -d '1960-01-01 00:00:00' old \
     && touch -d '2300-01-01 00:00:00' future && echo tmp > /mounted/in-tmpfs && rm /etc/passwd";

/// Each entry with all that its header says, but for the names of owners, which engines look up in the container, and
/// attributes of users, which Docker leaves out.
fn described(archive: &[u8]) -> BTreeMap<Vec<u8>, String> {
    let mut found = BTreeMap::new();
    for (place, entry) in Archive::new(archive).entries().unwrap().enumerate() {
        let mut entry = entry.unwrap();
        let path = entry.path_bytes().into_owned();
        let mut records = Vec::new();
        for record in entry.pax_extensions().unwrap().into_iter().flatten() {
            let record = record.unwrap();
            if !record.key_bytes().starts_with(b"SCHILY.xattr.user.") {
                records.push(format!("{}={:?}", record.key().unwrap(), record.value_bytes()));
            }
        }
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        let header = entry.header();
        let numbers = [
            header.mode().unwrap().into(),
            header.uid().unwrap(),
            header.gid().unwrap(),
            header.mtime().unwrap(),
        ];
        let device = (header.device_major().unwrap(), header.device_minor().unwrap());
        let link = entry.link_name_bytes().map(|link| String::from_utf8_lossy(&link).into_owned());
        let kind = header.entry_type();
        let digest = jingku_sources::oci::digest(&content);
        found.insert(path, format!("{place} {kind:?} {numbers:?} {device:?} {link:?} {records:?} {digest}"));
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_root_directory_is_read_as_the_engine_exports_it() {
    on_each_engine(|under_test, engine| async move {
        let volume = tempfile::tempdir().unwrap();
        std::fs::write(volume.path().join("in-volume"), "").unwrap();
        let volume = format!("{}:/volume", volume.path().display());
        let id = under_test.container(&["--tmpfs", "/mounted", "-v", &volume]);
        under_test.run(&["exec", &id, "/bin/sh", "-c", FILES]);
        let Some(place) = engine.container(&id).await.unwrap().root else {
            println!("skipped: the storage of {:?} is no overlay", under_test.kind());
            return;
        };
        let at = |name: &str| place.directory.join("work").join(name);
        let capability = b"\x01\0\0\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
        setxattr(at("a"), "security.capability", capability, XattrFlags::empty()).unwrap();
        setxattr(at("plain"), "user.note", b"a \xff\0 note", XattrFlags::empty()).unwrap();
        setxattr(at("deep"), "user.note", b"deep", XattrFlags::empty()).unwrap();
        setxattr(at("a"), "trusted.note", b"not the container's", XattrFlags::empty()).unwrap();

        let mut export = engine.export(&id);
        let (exported, read, again) = tokio::task::spawn_blocking(move || {
            let root = Root::open(&place.directory, place.process).unwrap();
            let mut all = [Vec::new(), Vec::new(), Vec::new()];
            export.read_to_end(&mut all[0]).unwrap();
            root.archive().unwrap().read_to_end(&mut all[1]).unwrap();
            root.archive().unwrap().read_to_end(&mut all[2]).unwrap();
            all.into()
        })
        .await
        .unwrap();
        assert!(read == again, "two archives of the same files differ");
        let (expected, found) = (described(&exported), described(&read));
        for path in expected.keys().chain(found.keys()) {
            assert_eq!(found.get(path), expected.get(path), "{}", path.escape_ascii());
        }
        assert!(found.keys().all(|path| !path.ends_with(b"in-tmpfs") && !path.ends_with(b"in-volume")));
        if under_test.kind() == Kind::Podman {
            let differs = exported.iter().zip(&read).position(|(one, other)| one != other);
            let block = differs.map(|at| at / 512 * 512..at / 512 * 512 + 512);
            let [one, other] = [&exported, &read]
                .map(|all| block.clone().map(|block| all[block].escape_ascii().to_string()));
            assert_eq!(other, one, "at {block:?}");
            assert_eq!(read.len(), exported.len());
        }

        // Not while it is stopped, and not as the root of another process.
        let place = engine.container(&id).await.unwrap().root.unwrap();
        assert!(Root::open(&place.directory, std::process::id()).is_err());
        engine.stop(&id, 5).await.unwrap();
        assert_eq!(engine.container(&id).await.unwrap().root, None);
        assert!(Root::open(&place.directory, place.process).is_err());
    })
    .await;
}
