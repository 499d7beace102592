//! Entries that archives rarely have, and rules for hard links, drivers and secrets.

use std::io::Read;

use jingku_sources::tree::{Filter, Reason, Refetch, Report, Rules};
use tar::{Builder, EntryType, Header};

/// A header with this name as it is, even if it is not a valid one.
fn header(kind: u8, path: &[u8], link: &[u8], size: u64) -> Header {
    let mut header = Header::new_ustar();
    header.set_entry_type(EntryType::new(kind));
    header.set_mode(0o640);
    header.as_old_mut().name[..path.len()].copy_from_slice(path);
    header.as_old_mut().linkname[..link.len()].copy_from_slice(link);
    header.set_size(size);
    header.set_cksum();
    header
}

fn entry(kind: u8, path: &[u8], link: &[u8], content: &[u8]) -> Vec<u8> {
    let mut bytes = header(kind, path, link, content.len() as u64).as_bytes().to_vec();
    bytes.extend(content);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

fn file(path: &str, content: &[u8]) -> Vec<u8> {
    entry(b'0', path.as_bytes(), b"", content)
}

fn hard_link(path: &str, to: &str) -> Vec<u8> {
    entry(b'1', path.as_bytes(), to.as_bytes(), b"")
}

fn symlink(path: &str, to: &str) -> Vec<u8> {
    entry(b'2', path.as_bytes(), to.as_bytes(), b"")
}

fn pax(content: &[u8]) -> Vec<u8> {
    entry(b'x', b"pax", b"", content)
}

fn archive(entries: &[Vec<u8>]) -> Vec<u8> {
    [entries.concat(), vec![0; 1024]].concat()
}

fn try_filter(archive: &[u8], rules: Rules, refetch: Refetch) -> Result<(Vec<u8>, Report), String> {
    let mut filter = Filter::new(archive, rules, refetch);
    let mut image = Vec::new();
    filter.read_to_end(&mut image).map_err(|error| error.to_string())?;
    Ok((image, filter.report()))
}

fn filter(entries: &[Vec<u8>], rules: Rules) -> Result<(Vec<u8>, Report), String> {
    let never: Refetch = Box::new(|path| panic!("{} is fetched again", path.escape_ascii()));
    try_filter(&archive(entries), rules, never)
}

/// What an archive with these entries is refused for.
fn refusal(entries: &[Vec<u8>]) -> String {
    filter(entries, Rules::default()).unwrap_err()
}

fn left_out(report: &Report) -> Vec<(&str, Reason)> {
    report.left_out.iter().map(|left| (&*left.path, left.reason)).collect()
}

#[test]
fn attributes_and_names_may_have_any_byte() {
    let entries = [
        pax(b"33 SCHILY.xattr.user.a=\n7 path=b\n13 path=a\nb\xff\n"),
        file("short", b"x"),
        entry(b'0', b"not-\xff-utf-8", b"", b""),
    ];
    let (image, report) = filter(&entries, Rules::default()).unwrap();
    assert_eq!((image, report.kept_count), (archive(&entries), 2));
    let mut rules = Rules::default();
    rules.ignore(b"b\xff").unwrap();
    assert_eq!(filter(&entries, rules).unwrap().1.left_out_count, 0, "a newline is part of the name");
}

#[test]
fn entries_that_programs_read_differently_are_refused() {
    let long_name = || entry(b'L', b"././@LongLink", b"", b"a\0");
    for (entries, why) in [
        (vec![long_name(), pax(b"10 path=b\n"), file("c", b"")], "an entry has two paths"),
        (vec![long_name(), long_name(), file("c", b"")], "an entry has two paths"),
        (vec![pax(b"10 path=a\n10 path=b\n"), file("c", b"")], "an entry has two paths"),
        (vec![pax(b"10 path=a\n"), pax(b"10 path=b\n"), file("c", b"")], "a header is damaged"),
        (vec![pax(b"10 path=a\n"), entry(b'g', b"g", b"", b""), file("c", b"")], "a header is damaged"),
        (vec![pax(b"11 path=a\n"), file("c", b"")], "an extended header is damaged"),
        (vec![pax(b"9 size=x\n"), file("c", b"")], "the size of an entry is not a number"),
        (vec![pax(b"29 size=18446744073709551615\n"), file("c", b"")], "an entry is too large"),
        (vec![entry(b'0', b"c/", b"", b"")], "a file has the name of a directory"),
        (
            vec![entry(b'0', b"c", b"", b""), vec![0; 512], file("d", b"")],
            "the archive has data after its end",
        ),
        (
            vec![entry(b'L', b"l", b"", &[b'a'; 4096]), file("c", b"")],
            "an entry has a path of more than 4095 bytes",
        ),
        (vec![pax(b"10 path=a\n")], "the archive is cut off"),
    ] {
        assert_eq!(refusal(&entries), why);
    }
}

#[test]
fn headers_are_understood_as_engines_do() {
    // An empty value counts as none, a global header as nothing, and a link has no content, whatever its size says.
    let entries = [
        entry(b'g', b"g", b"", b"19 comment=a commit\n"),
        pax(b"8 path=\n"),
        file("kept", b"x"),
        header(b'2', b"link", b"kept", 700).as_bytes().to_vec(),
        file("next", b""),
    ];
    let (image, report) = filter(&entries, Rules::default()).unwrap();
    assert_eq!(report.kept_count, 3);
    let expected = [pax(b"8 path=\n"), file("kept", b"x"), symlink("link", "kept"), file("next", b"")];
    assert_eq!(image, archive(&expected));
}

#[test]
fn the_name_of_a_sparse_file_is_found_where_it_is() {
    let map = b"22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n25 GNU.sparse.name=cache\n28 GNU.sparse.realsize=9999\n";
    let entries = [pax(map), file("GNUSparseFile.1/cache", b"0\n"), file("kept", b"")];
    let mut rules = Rules::default();
    rules.ignore(b"/cache").unwrap();
    let (image, _) = filter(&entries, rules).unwrap();
    assert_eq!(image, archive(&[file("kept", b"")]));
}

#[test]
fn links_to_what_identifies_or_is_secret_are_left_out_with_it() {
    let entries = [
        file("etc/machine-id", b"0123"),
        file("etc/ssh/ssh_host_rsa_key", b"k"),
        hard_link("opt/id", "etc/machine-id"),
        hard_link("opt/key", "etc/ssh/ssh_host_rsa_key"),
        file("opt/token", b"t"),
        file("root/.ssh/work", b"-----BEGIN OPENSSH PRIVATE KEY-----"),
        hard_link("root/.netrc", "opt/token"),
        hard_link("srv/work", "root/.ssh/work"),
    ];
    let mut rules = Rules::default();
    rules.without_secrets();
    let (image, report) = filter(&entries, rules).unwrap();
    let expected =
        [file("etc/machine-id", b""), hard_link("opt/id", "etc/machine-id"), file("opt/token", b"t")];
    assert_eq!(image, archive(&expected));
    assert_eq!(report.secrets, ["root/.ssh/work", "root/.netrc"]);
    assert_eq!(
        left_out(&report),
        [
            ("etc/machine-id", Reason::HostIdentity),
            ("etc/ssh/ssh_host_rsa_key", Reason::HostIdentity),
            ("opt/key", Reason::HostIdentity),
            ("root/.ssh/work", Reason::Secret),
            ("root/.netrc", Reason::Secret),
            ("srv/work", Reason::Secret),
        ]
    );
}

#[test]
fn identity_is_found_under_a_hard_link_too() {
    let entries =
        [file("a", b"0123"), hard_link("etc/machine-id", "a"), hard_link("etc/ssh/ssh_host_rsa_key", "a")];
    let (image, _) = filter(&entries, Rules::default()).unwrap();
    assert_eq!(image, archive(&[file("a", b"0123"), file("etc/machine-id", b"")]));
}

#[test]
fn a_hard_link_to_a_left_out_symlink_becomes_the_symlink() {
    let entries = [symlink("cache/a", "target"), hard_link("kept", "cache/a"), hard_link("more", "cache/a")];
    let mut rules = Rules::default();
    rules.ignore(b"cache").unwrap();
    let (image, _) = filter(&entries, rules).unwrap();
    assert_eq!(image, archive(&[symlink("kept", "target"), hard_link("more", "kept")]));
}

/// Many packages of Python have empty files, and `nvidia` in their path.
#[test]
fn packages_and_users_named_nvidia_are_kept() {
    let mut entries = vec![
        file("home/nvidia/.bash_history", b"ls"),
        file("usr/lib/python3/dist-packages/nvidia/__init__.py", b""),
        file("usr/local/lib/python3.10/site-packages/nvidia/__init__.py", b""),
    ];
    for number in 0..5000 {
        entries.push(file(&format!("usr/local/lib/nvidia/cublas/{number}.h"), b""));
    }
    let (image, report) = filter(&entries, Rules::default()).unwrap();
    assert!(image == archive(&entries));
    assert_eq!(report.secrets, ["home/nvidia/.bash_history"]);
}

#[test]
fn links_to_a_stub_are_left_out_in_any_number_and_order() {
    let mut entries =
        vec![file("usr/lib/libcuda.so.0", b""), hard_link("usr/lib/other", "usr/lib/libcuda.so.0")];
    let lib = |number: usize| format!("usr/lib/libcuda.so.{number}");
    entries.extend((1..2000).rev().map(|number| symlink(&lib(number), &lib(number - 1))));
    entries.push(hard_link("usr/lib/hard", &lib(7)));
    let (image, report) = filter(&entries, Rules::default()).unwrap();
    assert_eq!((image, report.left_out_count), (archive(&[]), 2002));
    entries[0] = file("usr/lib/libcuda.so.0", b"ELF");
    let (_, report) = filter(&entries, Rules::default()).unwrap();
    assert_eq!((report.kept_count, report.left_out_count), (2002, 0));
}

#[test]
fn names_that_remove_files_in_an_image_are_left_out() {
    let entries =
        [file("a/.wh.b", b"1"), entry(b'5', b".wh.d/", b"", b""), file(".wh.d/x", b""), file("b", b"")];
    let (image, report) = filter(&entries, Rules::default()).unwrap();
    assert_eq!(image, archive(&[file("b", b"")]));
    assert_eq!(left_out(&report), [("a/.wh.b", Reason::Whiteout), (".wh.d", Reason::Whiteout)]);
}

#[test]
fn software_is_what_is_kept_and_can_be_shown() {
    let entries = [
        file("etc/os-release", b"NAME=Test\nVERSION_ID=\"1\""),
        entry(b'5', b"venv/torch-9.9.dist-info/", b"", b""),
        entry(b'5', b"lib/jax-1\x1b[31m.dist-info/", b"", b""),
    ];
    let mut rules = Rules::default();
    rules.ignore(b"venv/").unwrap();
    let (_, report) = filter(&entries, rules).unwrap();
    assert_eq!((&*report.software.os_version, &*report.software.framework), ("Test 1", ""));
}

#[test]
fn held_back_links_and_reports_are_bounded() {
    let long = "usr/lib/libcuda.so.".to_owned() + &"d/".repeat(1800);
    let mut tree = Builder::new(Vec::new());
    for number in 0..3000 {
        let mut header = Header::new_ustar();
        header.set_entry_type(EntryType::Symlink);
        header.set_size(0);
        tree.append_link(&mut header, format!("{long}libcuda.so.{number}"), "libcuda.so").unwrap();
    }
    let never: Refetch = Box::new(|_| unreachable!());
    let error = try_filter(&tree.into_inner().unwrap(), Rules::default(), never).unwrap_err();
    assert_eq!(error, "the container has too many links with names of driver files");

    let entries: Vec<_> =
        (0..1000).map(|number| pax_file(&format!("{}{number:04}", "d/".repeat(1500)))).collect();
    let mut rules = Rules::default();
    rules.ignore(b"0*").unwrap();
    let (_, report) = filter(&entries, rules).unwrap();
    assert!(report.left_out_count == 1000 && report.left_out.len() < 100, "{}", report.left_out.len());
}

fn pax_file(path: &str) -> Vec<u8> {
    let record = format!(" path={path}\n");
    [pax(format!("{}{record}", record.len() + 4).as_bytes()), file("f", b"")].concat()
}

#[test]
fn a_pattern_that_backtracks_takes_no_long_time() {
    let started = std::time::Instant::now();
    let mut rules = Rules::default();
    assert!(rules.ignore(("a*/**/".repeat(3) + "b").as_bytes()).is_err());
    rules.ignore(("*a".repeat(40) + "b\n**/" + &"a*".repeat(40) + "/**/*a*b").as_bytes()).unwrap();
    filter(&[file(&"a".repeat(99), b""), pax_file(&("a".repeat(80) + &"/a".repeat(1900)))], rules).unwrap();
    assert!(started.elapsed().as_secs() < 10, "{:?}", started.elapsed());
}
