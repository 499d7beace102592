//! Memory stays below a constant for any size of disk: `docs/format/README.md`, "Memory".

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::home::Home;

/// The most memory of a server that creates images, in bytes: what docs/format states for 16 cores or more, and as much
/// again for the rest of the server. The disks of the test are 8 and 7,000 times as large.
const PEAK_BYTES_MAX: u64 = 128 << 20;

const GIB: u64 = 1 << 30;
/// About the largest disk that the API accepts.
const HUGE_BYTES: u64 = 900 * GIB;

/// Writes data without repeated pages that compresses well.
fn write_data(disk: &File, at: u64, length: u64) {
    let mut block = vec![0; 1 << 20];
    for offset in (at..at + length).step_by(block.len()) {
        for (number, page) in block.chunks_mut(4096).enumerate() {
            page[..8].copy_from_slice(&(offset + number as u64 + 1).to_le_bytes());
        }
        disk.write_all_at(&block, offset).unwrap();
    }
}

fn create(path: &Path, length: u64) -> File {
    let disk = File::create_new(path).unwrap();
    disk.set_len(length).unwrap();
    disk
}

#[test]
fn memory_stays_below_the_limit_for_huge_and_full_disks() {
    let home = Home::new();
    let (huge, full) = (home.path("huge.raw"), home.path("full.raw"));
    let disk = create(&huge, HUGE_BYTES);
    for at in [0, GIB, 500 * GIB, HUGE_BYTES - (2 << 20)] {
        write_data(&disk, at, 2 << 20);
    }
    home.add_disk("uhost-huge", &huge);
    write_data(&create(&full, GIB), 0, GIB);
    home.add_disk("uhost-full", &full);

    let server = home.serve();
    home.make("uhost-huge", "huge");
    let huge_peak = server.memory_peak();
    assert!(huge_peak <= PEAK_BYTES_MAX, "{huge_peak} bytes for 900 GiB of holes");

    let made = home.make("uhost-full", "full");
    let exported = home.path("full.export");
    home.run(&["image", "export", &made, "-o", exported.to_str().unwrap()]).succeeded();
    let full_peak = server.memory_peak();
    assert!(full_peak <= PEAK_BYTES_MAX, "{full_peak} bytes for a GiB of data");
    assert!(same(&full, &exported), "the export differs");
    server.stop();
}

/// Images, each with a manifest of its own, that are all corrupted.
const SCRUBBED_IMAGES: u32 = 200_000;
/// The most memory of a server that scrubs them. A list of all of them takes about 140 MB.
const SCRUB_PEAK_BYTES_MAX: u64 = 80 << 20;

#[test]
fn the_scrub_holds_little_of_each_image() {
    let home = Home::new();
    home.add_instance("uhost-small", &[1; 4096]);
    let server = home.serve();
    home.make("uhost-small", "small");
    server.stop();
    let _ = std::fs::remove_file(home.data().join("scrub"));
    copy_images(&home.data().join("catalog.db"));
    let server = home.serve();
    let ended = || home.json(&["check", "--status"])["Scrub"]["EndedAt"].is_number();
    crate::home::until("the scrub has ended", ended);
    let scrub = home.json(&["check", "--status"])["Scrub"].clone();
    let peak = server.memory_peak();
    println!("{} MiB for {SCRUBBED_IMAGES} images", peak >> 20);
    assert!(peak <= SCRUB_PEAK_BYTES_MAX, "{peak} bytes");
    // As many as a scrub lists.
    assert_eq!(scrub["DamagedImages"].as_array().unwrap().len(), 100);
    server.stop();
}

/// Copies the only image with other manifests, which do not exist.
fn copy_images(catalog: &Path) {
    let connection = rusqlite::Connection::open(catalog).unwrap();
    let mut columns = connection.prepare("SELECT name FROM pragma_table_info('images')").unwrap();
    let columns = columns.query_map([], |row| row.get(0)).unwrap();
    let columns: Vec<String> = columns.collect::<Result<_, _>>().unwrap();
    let value = |column: &String| match column.as_str() {
        "id" => "'image-' || n.number".to_owned(),
        "name" => "'name-' || n.number".to_owned(),
        "seq" | "ordinal" => format!("n.number + t.{column}"),
        "manifest" => "printf('%064x', n.number)".to_owned(),
        other => format!("t.{other}"),
    };
    let values = columns.iter().map(value).collect::<Vec<_>>().join(", ");
    let sql = format!(
        "WITH RECURSIVE n (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM n WHERE number < {SCRUBBED_IMAGES})
         INSERT INTO images ({}) SELECT {values} FROM images t, n",
        columns.join(", ")
    );
    connection.execute(&sql, []).unwrap();
}

/// Whether two files are equal, compared in pieces of 1 MiB.
fn same(one: &Path, other: &Path) -> bool {
    let files = [one, other].map(|path| File::open(path).unwrap());
    let lengths = files.each_ref().map(|file| file.metadata().unwrap().len());
    let mut pieces = [vec![0; 1 << 20], vec![0; 1 << 20]];
    lengths[0] == lengths[1]
        && (0..lengths[0]).step_by(1 << 20).all(|at| {
            let length = usize::try_from((lengths[0] - at).min(1 << 20)).unwrap();
            for (file, piece) in files.iter().zip(&mut pieces) {
                file.read_exact_at(&mut piece[..length], at).unwrap();
            }
            pieces[0][..length] == pieces[1][..length]
        })
}
