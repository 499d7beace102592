//! The inputs that the fuzzers start from: valid ones, and known attacks on similar formats.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::archive::{NEXT_LAYER, append, image_of};
use crate::manifest::sealed;

/// The corpus folder of a target: one file per input, named after its content.
pub fn folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target)
}

/// Reads the corpus of a target, sorted by name.
pub fn read(target: &str) -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut inputs = Vec::new();
    for entry in fs::read_dir(folder(target))? {
        let entry = entry?;
        inputs.push((entry.file_name().to_string_lossy().into_owned(), fs::read(entry.path())?));
    }
    inputs.sort();
    Ok(inputs)
}

/// Generates manifests.
pub fn manifests() -> Vec<(&'static str, Vec<u8>)> {
    let header = |size: u64, chunk: u32| {
        [b"JKMF\x01\0\0\0", &size.to_le_bytes()[..], &chunk.to_le_bytes()[..]].concat()
    };
    let zeros = |count: u64| [&[0], &count.to_le_bytes()[..]].concat();
    let chunk = |seed: u8| [&[1], &[seed; 32][..]].concat();
    let sealed = |parts: &[Vec<u8>]| sealed(&parts.concat());
    let disk = header(5 * 4096 + 1, 4096);
    let stream = b"JKMF\x02\0\0\0".to_vec();
    let piece = |length: u32, seed: u8| [&[1], &length.to_le_bytes()[..], &[seed; 32]].concat();
    let end = |length: u64| [&[2], &length.to_le_bytes()[..]].concat();
    vec![
        ("empty-disk", sealed(&[header(0, 4096)])),
        ("chunks-and-zeros", sealed(&[disk.clone(), zeros(2), chunk(1), zeros(1), chunk(2), chunk(1)])),
        ("one-short-chunk", sealed(&[header(17, 4 << 20), chunk(9)])),
        ("a-pib-of-zeros", sealed(&[header(1 << 50, 4096), zeros(1 << 38)])),
        ("hostile-larger-than-a-pib", sealed(&[header((1 << 50) + 1, 4096), zeros((1 << 38) + 1)])),
        ("hostile-size-of-all-ones", sealed(&[header(u64::MAX, 4096), zeros(u64::MAX)])),
        ("hostile-zeros-past-the-end", sealed(&[disk.clone(), zeros(7)])),
        ("hostile-zeros-that-overflow", sealed(&[disk.clone(), chunk(1), zeros(u64::MAX)])),
        ("hostile-no-zeros", sealed(&[disk.clone(), zeros(0), zeros(6)])),
        ("hostile-split-zeros", sealed(&[disk.clone(), zeros(3), zeros(3)])),
        ("hostile-chunk-too-many", sealed(&[header(4096, 4096), chunk(1), chunk(2)])),
        ("hostile-chunk-too-few", sealed(&[disk.clone(), chunk(1)])),
        ("hostile-chunk-size-zero", sealed(&[header(4096, 0), chunk(1)])),
        ("hostile-chunk-size-three", sealed(&[header(4096, 3), chunk(1)])),
        ("hostile-chunk-size-of-2-gib", sealed(&[header(4096, 1 << 31), chunk(1)])),
        ("hostile-tag", sealed(&[header(4096, 4096), vec![2; 33]])),
        ("hostile-tail", [sealed(&[header(4096, 4096), chunk(1)]), vec![0]].concat()),
        ("hostile-hash", [header(4096, 4096), chunk(1), vec![0; 32]].concat()),
        ("hostile-header-only", header(4096, 4096)),
        ("hostile-version", [b"JKMF\x03\0\0\0", &[0; 44][..]].concat()),
        ("a-stream", sealed(&[stream.clone(), piece(5, 1), zeros(4096), piece(4 << 20, 2), end(4_198_405)])),
        ("empty-stream", sealed(&[stream.clone(), end(0)])),
        ("hostile-stream-of-another-length", sealed(&[stream.clone(), piece(5, 1), end(6)])),
        ("hostile-stream-without-end", sealed(&[stream.clone(), piece(5, 1)])),
        ("hostile-stream-after-its-end", sealed(&[stream.clone(), end(0), piece(5, 1)])),
        (
            "hostile-stream-of-a-long-chunk",
            sealed(&[stream.clone(), piece(u32::MAX, 1), end(u32::MAX.into())]),
        ),
        ("hostile-stream-of-split-zeros", sealed(&[stream.clone(), zeros(1), zeros(1), end(2)])),
        ("hostile-stream-of-zeros-that-overflow", sealed(&[stream, piece(5, 1), zeros(u64::MAX), end(4)])),
    ]
}

/// Generates chunks.
pub fn chunks() -> io::Result<Vec<(&'static str, Vec<u8>)>> {
    let object = |codec: u8, plain: usize, payload: &[u8]| {
        let length = |length: usize| u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes();
        [b"JKCH\x01", &[codec, 0, 0][..], &length(plain), &length(payload.len()), payload].concat()
    };
    let text = b"jingku keeps each byte once. ".repeat(100);
    let packed = zstd::bulk::compress(&text, 1)?;
    // 64 MiB in a few KB, under a header that claims 4 MiB and one that claims little.
    let bomb = zstd::bulk::compress(&vec![0; 64 << 20], 19)?;
    let checked = {
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 3)?;
        encoder.include_checksum(true)?;
        io::Write::write_all(&mut encoder, &text)?;
        encoder.finish()?
    };
    let skippable = [&0x184d_2a50_u32.to_le_bytes()[..], &4_u32.to_le_bytes(), b"skip", &packed].concat();
    let dictionary =
        [&0xfd2f_b528_u32.to_le_bytes()[..], &[0x23, 0xff, 0xff, 0xff, 0xff, 10], &packed[6..]].concat();
    let mut window = packed.clone();
    window[4] = 0;
    window[5] = 0xff;
    Ok(vec![
        ("plain", object(0, 5, b"bytes")),
        ("zstd", object(1, text.len(), &packed)),
        ("zstd-with-checksum", object(1, text.len(), &checked)),
        ("zstd-in-two-frames", object(1, 2 * text.len(), &[&packed[..], &packed].concat())),
        ("zstd-after-a-skippable-frame", object(1, text.len(), &skippable)),
        ("zstd-of-4-mib", object(1, 4 << 20, &zstd::bulk::compress(&vec![7; 4 << 20], 1)?)),
        ("hostile-bomb", object(1, 4 << 20, &bomb)),
        ("hostile-bomb-that-says-little", object(1, bomb.len() + 1, &bomb)),
        ("hostile-plain-length-zero", object(0, 0, b"")),
        ("hostile-plain-length-over-4-mib", object(1, (4 << 20) + 1, &packed)),
        ("hostile-plain-length-of-4-gib", object(1, usize::MAX, &packed)),
        ("hostile-frame-of-less", object(1, text.len() + 1, &packed)),
        ("hostile-frame-of-more", object(1, text.len() - 1, &packed)),
        ("hostile-no-frame", object(1, 100, b"")),
        ("hostile-dictionary", object(1, text.len(), &dictionary)),
        ("hostile-window", object(1, text.len(), &window)),
        ("hostile-codec", object(2, 5, b"bytes")),
        ("hostile-tail", [object(0, 5, b"bytes"), vec![0]].concat()),
        ("hostile-header-only", object(0, 5, b"bytes")[..16].to_vec()),
        ("hostile-half-a-header", b"JKCH\x01\0\0\0".to_vec()),
    ])
}

/// Generates disks: which object is corrupted, where, how, and the bytes.
pub fn disks() -> Vec<(&'static str, Vec<u8>)> {
    let text = b"jingku keeps each byte once. ".repeat(400);
    let mut noise = vec![0; 3 * 4096 + 5];
    blake3::Hasher::new().finalize_xof().fill(&mut noise);
    let disk = |control: [u8; 4], parts: &[&[u8]]| [&control, &parts.concat()[..]].concat();
    let zeros = vec![0; 2 * 4096];
    vec![
        ("empty", disk([0, 0, 0, 0], &[])),
        ("one-byte-flip", disk([0, 0, 0, 1 << 4], &[b"x"])),
        ("zeros-delete-manifest", disk([0, 0, 0, 0], &[&zeros])),
        ("noise-and-zeros-flip-payload", disk([1, 20, 0, 0x80], &[&noise, &zeros, &noise])),
        ("text-cut", disk([2, 9, 0, 1], &[&text, &zeros])),
        ("text-insert", disk([0, 16, 0, 2], &[&zeros, &text])),
        ("twice-the-same-delete", disk([0, 0, 0, 0], &[&noise[..4096], &noise[..4096], &zeros, &text])),
    ]
}

/// An entry of an archive: its kind, path, link and content.
type Entry<'a> = (u8, &'a str, &'a str, &'a [u8]);

fn tar(entries: &[Entry<'_>]) -> Vec<u8> {
    let mut archive = Vec::new();
    for (kind, path, link, content) in entries {
        append(&mut archive, *kind, path, link, content);
    }
    archive.resize(archive.len() + 1024, 0);
    archive
}

/// Generates archives of containers.
pub fn trees() -> Vec<(&'static str, Vec<u8>)> {
    let file = |path| (b'0', path, "", &b"content"[..]);
    let pax = |records| (b'x', "pax", "", records);
    let attribute: &[u8] = b"33 SCHILY.xattr.user.a=\n7 path=b\n";
    let map: &[u8] = b"22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n21 GNU.sparse.name=a\n";
    let key: &[u8] = b"-----BEGIN PRIVATE KEY-----";
    vec![
        ("empty", tar(&[])),
        (
            "kinds",
            tar(&[
                (b'5', "d/", "", b""),
                file("d/f"),
                (b'1', "d/l", "d/f", b""),
                (b'2', "s", "d", b""),
                (b'3', "c", "", b""),
                (b'6', "p", "", b""),
            ]),
        ),
        (
            "left-out",
            tar(&[
                (b'5', "a/", "", b""),
                file("a/f"),
                (b'1', "l", "a/f", b""),
                (b'1', "m", "a/f", b""),
                file("proc/x"),
                file("mnt/x"),
            ]),
        ),
        (
            "drivers",
            tar(&[
                (b'0', "usr/lib/libcuda.so.1", "", b""),
                (b'2', "usr/lib/libcuda.so", "libcuda.so.1", b""),
                (b'1', "usr/lib/l", "usr/lib/libcuda.so", b""),
            ]),
        ),
        (
            "identity",
            tar(&[
                file("etc/machine-id"),
                file("etc/os-release"),
                file("etc/ssh/ssh_host_key"),
                (b'1', "l", "etc/machine-id", b""),
            ]),
        ),
        (
            "secrets",
            tar(&[(b'0', "root/.ssh/k", "", key), (b'1', "l", "root/.ssh/k", b""), file("root/.netrc")]),
        ),
        (
            "extended",
            tar(&[
                pax(attribute),
                file("f"),
                (b'L', "l", "", b"a-long-name\0"),
                file("g"),
                (b'K', "k", "", b"a-long-link\0"),
                (b'2', "s", "", b""),
            ]),
        ),
        ("sparse", tar(&[pax(map), file("GNUSparseFile.1/a"), (b'S', "sparse", "", b"content")])),
        ("hostile-two-names", tar(&[pax(b"10 path=b\n"), (b'L', "l", "", b"a\0"), file("f")])),
        ("hostile-size", tar(&[pax(b"29 size=18446744073709551615\n"), file("f")])),
        ("hostile-global", tar(&[(b'g', "g", "", b"10 path=b\n"), file("f")])),
        ("hostile-data-after-the-end", [tar(&[file("a")]), tar(&[file("b")])].concat()),
        ("hostile-cut", tar(&[file("a")])[..900].to_vec()),
    ]
}

/// Generates archives of images, and layers of images.
pub fn archives() -> Vec<(&'static str, Vec<u8>)> {
    let file = |path| (b'0', path, "", &b"content"[..]);
    let link = |path, to| (b'1', path, to, &b""[..]);
    let layers = |layers: &[Vec<u8>]| layers.join(NEXT_LAYER);
    let lower = tar(&[
        (b'5', "d/", "", b""),
        file("d/a"),
        file("d/b"),
        link("d/l", "d/a"),
        link("m", "d/a"),
        (b'2', "s", "d", b""),
    ]);
    vec![
        ("docker", image_of(&[lower.clone(), tar(&[file("d/a")])])),
        ("whiteouts", layers(&[lower.clone(), tar(&[file(".wh.d"), file("d/c"), file(".wh.s")])])),
        ("opaque", layers(&[lower.clone(), tar(&[file("d/.wh..wh..opq"), file("d/b")])])),
        ("links", layers(&[lower.clone(), tar(&[link("x", "m"), link("y", "x")]), tar(&[file("d/a")])])),
        ("no-mark", layers(&[lower[..512].to_vec(), Vec::new()])),
        ("hostile-paths", layers(&[tar(&[file("../a"), file("/a"), file("a/../b"), link("c", "../d")])])),
        (
            "hostile-whiteouts",
            layers(&[lower.clone(), tar(&[file(".wh."), file(".wh..."), file(".wh.d/x")])]),
        ),
        (
            "hostile-through-a-link",
            layers(&[lower, tar(&[file("s/x"), (b'2', "t", "/etc", b""), file("t/passwd")])]),
        ),
        ("hostile-circle", layers(&[tar(&[link("a", "b"), link("b", "a")])])),
    ]
}

/// Generates requests: query, content type and body, one line each.
pub fn requests() -> Vec<(&'static str, Vec<u8>)> {
    let deep =
        |depth: usize| format!("\napplication/json\n{}{}", r#"{"a":"#.repeat(depth), "}".repeat(depth));
    let many = format!("\n\n{}", (0..600).map(|n| format!("p{n}=1")).collect::<Vec<_>>().join("&"));
    vec![
        ("query", b"Action=DescribeCompShareCustomImages&Limit=20&PublicKey=x&Signature=y\n\n".to_vec()),
        (
            "form",
            b"\napplication/x-www-form-urlencoded\nAction=A&Name=%E9%95%9C%E5%BA%93+1&Tags.0=a&Tags.1=b"
                .to_vec(),
        ),
        (
            "json-flat",
            br#"
application/json
{"Action":"A","Limit":20,"Price":35.0,"Flag":true,"None":null,"Tags.0":"a"}"#
                .to_vec(),
        ),
        (
            "json-nested",
            b"Action=A\n\n{\"Action\":\"A\",\"Tags\":[\"a\",\"b\"],\"Map\":{\"k\":{\"l\":1e-7}}}".to_vec(),
        ),
        ("hostile-deep", deep(5000).into_bytes()),
        ("hostile-many", many.into_bytes()),
        ("hostile-twice", b"a=1&a=2\n\n".to_vec()),
        ("hostile-twice-in-json", b"\n\n{\"a\":1,\"a\":2}".to_vec()),
        ("hostile-numbers", b"\n\n{\"a\":1e999,\"b\":1e-400,\"c\":-0,\"d\":1e308}".to_vec()),
        ("hostile-percent", b"a=%&b=%G1&c=%ff%fe&%00=1\n\n".to_vec()),
        ("hostile-zero", b"\n\n{\"a\":\"\\u0000\"}".to_vec()),
        ("hostile-surrogate", b"\n\n{\"a\":\"\\ud800\"}".to_vec()),
        ("hostile-dots", b"a.=1&.a=2&a..b=3&a.18446744073709551616=4\n\n".to_vec()),
        ("hostile-not-an-object", b"\napplication/json\n[1]".to_vec()),
    ]
}

/// Generates qcow2 images with `qemu-img` and `qemu-io`, and corrupts some.
pub fn images() -> io::Result<Vec<(&'static str, Vec<u8>)>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("disk.qcow2");
    let create = |options: &str, size: &str, writes: &[&str]| -> io::Result<Vec<u8>> {
        run(Command::new("qemu-img")
            .args(["create", "-q", "-f", "qcow2", "-o", options])
            .arg(&path)
            .arg(size))?;
        let mut io = Command::new("qemu-io");
        io.args(["-f", "qcow2"]).arg(&path);
        for write in writes {
            io.args(["-c", write]);
        }
        run(&mut io)?;
        fs::read(&path)
    };
    let writes = [
        "write -P 1 0 8k",
        "write -c -P 2 8k 4k",
        "write -c -P 3 12k 4k",
        "write -z 16k 8k",
        "write -P 4 60k 4k",
    ];
    let base = create("cluster_size=4k", "64k", &writes)?;
    let small = create("cluster_size=512", "16k", &["write -P 5 512 1k", "write -P 6 16000 384"])?;
    let old = create("compat=0.10,cluster_size=4k", "64k", &["write -P 7 4k 4k"])?;
    let empty = create("cluster_size=64k", "1T", &["read 0 1"])?;
    let field = |image: &[u8], at: usize| -> usize {
        let bytes = image[at..at + 8].try_into().unwrap_or_default();
        usize::try_from(u64::from_be_bytes(bytes) & 0x00ff_ffff_ffff_fe00).unwrap_or(0)
    };
    let (first, second) = (field(&base, 40), field(&base, field(&base, 40)));
    let corrupted = |at: usize, bytes: &[u8]| {
        let mut image = base.clone();
        image[at..at + bytes.len()].copy_from_slice(bytes);
        image
    };
    let entry = |offset: u64| (offset | 1 << 63).to_be_bytes();
    let first_offset = first as u64;
    let mut images = vec![
        ("hostile-second-table-is-the-first", corrupted(first, &entry(first_offset))),
        ("hostile-second-table-is-the-header", corrupted(first, &entry(0))),
        ("hostile-second-table-past-the-end", corrupted(first, &entry(1 << 40))),
        ("hostile-data-is-the-table", corrupted(second, &entry(second as u64))),
        ("hostile-data-past-the-end", corrupted(second, &entry(1 << 50))),
        ("hostile-data-overlaps", corrupted(second, &[entry(field(&base, second) as u64); 2].concat())),
        ("hostile-compressed-past-the-end", corrupted(second, &(1_u64 << 62 | 1 << 40).to_be_bytes())),
        ("hostile-compressed-of-the-header", corrupted(second, &(1_u64 << 62 | 0x3ff << 52).to_be_bytes())),
        ("hostile-compressed-and-stored", corrupted(second, &(3_u64 << 62 | 0x5000).to_be_bytes())),
        ("hostile-size-of-64-tib", corrupted(24, &(64_u64 << 40).to_be_bytes())),
        ("hostile-size-of-all-ones", corrupted(24, &u64::MAX.to_be_bytes())),
        ("hostile-first-table-of-4-gib-entries", corrupted(36, &u32::MAX.to_be_bytes())),
        (
            "hostile-backing-file",
            corrupted(8, &[&0x200_u64.to_be_bytes()[..], &11_u32.to_be_bytes()].concat()),
        ),
        ("hostile-cut", base[..base.len() / 2].to_vec()),
        ("hostile-header-only", base[..104].to_vec()),
        ("hostile-feature-names-of-one-byte", corrupted(112, b"\x68\x03\xf8\x57\0\0\0\x01")),
        ("hostile-extension-of-4-gib", corrupted(112, &[0xff; 8])),
    ];
    if let Some((_, image)) = images.iter_mut().find(|(name, _)| *name == "hostile-backing-file") {
        image[0x200..0x20b].copy_from_slice(b"/etc/passwd");
    }
    images.extend([
        ("compressed-and-zeros", base),
        ("clusters-of-512", small),
        ("version-2", old),
        ("nothing-of-a-tib", empty),
    ]);
    Ok(images)
}

fn run(command: &mut Command) -> io::Result<()> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(io::Error::other(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr))))
}
