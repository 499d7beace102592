//! Creates accounts with many images, directly in the catalogue while no server runs.

use std::ops::RangeInclusive;
use std::path::Path;

use anyhow::{Result, ensure};
use jingku_catalog::{AccountId, Catalog, ImageStatus, SeedImage, SeedImages};
use rusqlite::Connection;

use crate::bench::daemon::Account;

/// A time in April 2024; every third image is a second newer.
pub(super) const FIRST_CREATE_TIME: i64 = 1_712_563_200;
/// Images of each account of [`fill_others`].
const OTHER_IMAGES: u32 = 100;
/// Accounts that one statement fills.
const FILLED_AT_ONCE: usize = 1000;
/// Memory for the indexes that every row changes, in KiB.
const CACHE_KIB: i64 = 512 << 10;

/// Creates images in an account. This benchmark reads no image data, so their manifest need not exist.
pub(in crate::bench) fn fill(data: &Path, account: &Account, images: u32) -> Result<()> {
    let (path, manifest) = (data.join("catalog.db"), "0".repeat(64));
    let first = first_image(account, &manifest);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let seeded = runtime.block_on(async {
        let catalog = Catalog::open_sqlite(&path).await?;
        catalog.seed_images(&[first], &[], FIRST_CREATE_TIME).await
    })?;
    ensure!(seeded == SeedImages::Seeded, "a new account refused an image: {seeded:?}");
    let softwares = r#"{"Framework":"PyTorch","FrameworkVersion":"2.7","CUDAVersion":"12.8"}"#;
    let ports = r#"[{"Software":"JupyterLab","Port":8888}]"#;
    let columns = "softwares = ?1, software_ports = ?2, firewall_ports = '[22,8888]'";
    let connection = connect(&path)?;
    connection.execute(
        &format!("UPDATE images SET {columns} WHERE account_id = ?3"),
        (softwares, ports, account.id),
    )?;
    copy_first_images(&connection, account.id..=account.id, images)
}

/// The first image of an account, which the others are copies of.
pub(super) fn first_image<'a>(account: &Account, manifest: &'a str) -> SeedImage<'a> {
    SeedImage {
        id: format!("compshareImage-{:03}{:09}", account.id, 0),
        account: AccountId(account.id),
        name: "训练环境-0".to_owned(),
        status: ImageStatus::Available,
        description: "PyTorch 2.7 with CUDA 12.8, Jupyter and the data loaders of the vision group",
        readme: "",
        tags: &[],
        supported_gpu_types: &[],
        price_cents: 0,
        failed_reason: "",
        create_time: FIRST_CREATE_TIME,
        region: "cn-wlcb",
        zone: "cn-wlcb-01",
        source_gpu_type: "4090",
        source_instance_id: "uhost-training",
        size_bytes: 100 << 30,
        manifest: Some(manifest),
        done_bytes: 0,
        container: false,
        platform_type: "",
        shared_with: &[],
        version: None,
    }
}

/// Shares all images of an account with another.
pub(super) fn share(data: &Path, owner: &Account, viewer: &Account) -> Result<()> {
    let connection = connect(&data.join("catalog.db"))?;
    let share = "INSERT INTO shares (image_id, account_id, created_at, ordinal, image_time, image_ordinal, zone)
                 SELECT id, ?2, create_time, ordinal, create_time, ordinal, zone FROM images WHERE account_id = ?1";
    connection.execute(share, (owner.id, viewer.id))?;
    connection.execute("UPDATE accounts SET revision = 1, shares_changed = 1 WHERE id = ?1", [viewer.id])?;
    Ok(())
}

/// Publishes all images of an account, each as the only version of a group.
pub(super) fn publish(data: &Path, owner: &Account) -> Result<()> {
    let connection = connect(&data.join("catalog.db"))?;
    let images =
        "UPDATE images SET container = 1, visibility = 1, pub_time = create_time, group_id = 'group-' || seq,
                      version_name = 'v1.0', submitted_at = create_time, submitted_ordinal = ordinal,
                      published_ordinal = ordinal
                  WHERE account_id = ?1";
    connection.execute(images, [owner.id])?;
    let groups = "INSERT INTO image_groups (
                      id, account_id, name, description, recommend_count, favorites_count, created_at, versions,
                      public_versions, pub_time, price_cents, auto_start, tags, created_count, image_use_time_hours,
                      folded_name, folded_author, published_ordinal, changed)
                  SELECT group_id, account_id, name, description, 0, 0, create_time, 1,
                      1, pub_time, 0, 0, '[]', 0, 0, name, 'lab', ordinal, ordinal
                  FROM images WHERE account_id = ?1";
    connection.execute(groups, [owner.id])?;
    Ok(())
}

/// Creates other accounts with as many images in all, copies of the first image of `account`.
pub(super) fn fill_others(data: &Path, account: &Account, images: u32) -> Result<()> {
    let connection = connect(&data.join("catalog.db"))?;
    let last: i64 = connection.query_row("SELECT MAX(id) FROM accounts", [], |row| row.get(0))?;
    let accounts = last + 1..last + 1 + i64::from(images.div_ceil(OTHER_IMAGES));
    let copy = copy(&connection, "accounts", |column| match column {
        "id" => Some("n.number"),
        "name" | "project_id" => Some("'other-' || n.number"),
        _ => None,
    })?;
    connection.execute(&format!("{copy} WHERE t.id = ?3"), (accounts.start, accounts.end, account.id))?;
    connection.execute("UPDATE counters SET accounts = ?1", [accounts.end - 1])?;
    let count = "INSERT INTO image_counts SELECT a.id, c.zone, 1 FROM accounts a, image_counts c
                 WHERE a.id >= ?1 AND c.account_id = ?2";
    connection.execute(count, (accounts.start, account.id))?;
    let copy = self::copy(&connection, "images", |column| match column {
        "id" => Some("printf('compshareImage-%03d%09d', n.number, 0)"),
        "account_id" => Some("n.number"),
        _ => None,
    })?;
    let copy = format!("{copy} WHERE t.account_id = ?3 AND t.seq = 1");
    connection.execute(&copy, (accounts.start, accounts.end, account.id))?;
    let ids: Vec<i64> = accounts.collect();
    for ids in ids.chunks(FILLED_AT_ONCE) {
        copy_first_images(&connection, ids[0]..=ids[ids.len() - 1], OTHER_IMAGES)?;
    }
    Ok(())
}

/// Copies the only image of each account until it has this many. Inserting each through the catalogue would take minutes.
fn copy_first_images(connection: &Connection, accounts: RangeInclusive<i64>, images: u32) -> Result<()> {
    let copy = copy(connection, "images", |column| match column {
        "id" => Some("printf('compshareImage-%03d%09d', t.account_id, n.number)"),
        "name" => Some("'训练环境-' || n.number"),
        "seq" => Some("t.seq + n.number"),
        "ordinal" => Some("t.ordinal + n.number"),
        "create_time" | "update_time" => Some("t.create_time + n.number / 3"),
        _ => None,
    })?;
    let (first, last) = accounts.into_inner();
    let transaction = connection.unchecked_transaction()?;
    if images > 1 {
        let copy = format!("{copy} WHERE t.account_id BETWEEN ?3 AND ?4 AND t.seq = 1");
        transaction.execute(&copy, (1, images, first, last))?;
    }
    transaction.execute("UPDATE counters SET ordinal = ordinal + ?1", [images])?;
    let counts = "UPDATE image_counts SET images = ?1 WHERE account_id BETWEEN ?2 AND ?3";
    transaction.execute(counts, (images, first, last))?;
    let newest =
        "UPDATE accounts SET image_seq = ?1, image_time = image_time + ?1 / 3 WHERE id BETWEEN ?2 AND ?3";
    transaction.execute(newest, (images, first, last))?;
    Ok(transaction.commit()?)
}

/// A statement that copies rows of a table `t` once for each number from ?1 to before ?2, with other values in some
/// columns. A condition on `t` completes it; CROSS JOIN makes SQLite find the rows first.
fn copy(
    connection: &Connection,
    table: &str,
    value: impl Fn(&str) -> Option<&'static str>,
) -> Result<String> {
    let mut columns = connection.prepare("SELECT name FROM pragma_table_info(?1)")?;
    let columns: Vec<String> = columns.query_map([table], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let values = columns.iter().map(|column| value(column).map_or(format!("t.{column}"), str::to_owned));
    Ok(format!(
        "WITH RECURSIVE n (number) AS (SELECT ?1 UNION ALL SELECT number + 1 FROM n WHERE number + 1 < ?2)
         INSERT INTO {table} ({}) SELECT {} FROM {table} t CROSS JOIN n",
        columns.join(", "),
        values.collect::<Vec<_>>().join(", ")
    ))
}

fn connect(path: &Path) -> Result<Connection> {
    let connection = Connection::open(path)?;
    // This data is not kept, and its references are right.
    connection.pragma_update(None, "synchronous", "OFF")?;
    connection.pragma_update(None, "foreign_keys", false)?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    Ok(connection)
}
