//! Creates accounts with many images, directly in the catalogue while no server runs.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use jingku_catalog::{AccountId, BuiltImage, Catalog, CreateImage, JobEnd, NewImage, NewInstance, Scope};

use crate::bench::daemon::Account;

/// A time in April 2024; every third image is a second newer.
const FIRST_CREATE_TIME: i64 = 1_712_563_200;
const SIZE_BYTES: i64 = 100 << 30;

/// Creates images in an account.
pub(in crate::bench) fn fill(data: &Path, account: &Account, images: u32) -> Result<()> {
    let path = data.join("catalog.db");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let first = runtime.block_on(create_one(&path, AccountId(account.id)))?;
    copy(&path, &first, images).context("copy an image's row")
}

/// Creates one image with the functions of the catalogue.
async fn create_one(path: &Path, account: AccountId) -> Result<String> {
    let catalog = Catalog::open_sqlite(path).await?;
    let instance_id = format!("uhost-{:012}", account.0);
    let instance = NewInstance {
        id: &instance_id,
        account,
        name: "training",
        region: "cn-wlcb",
        zone: "cn-wlcb-01",
        disk: "{}",
        size_bytes: SIZE_BYTES,
        gpu_type: "4090",
    };
    catalog.add_instance(instance, None, FIRST_CREATE_TIME).await?;
    let image_id = format!("compshareImage-{:03}000000000", account.0);
    let image = NewImage {
        id: &image_id,
        name: "训练环境-0",
        description: "PyTorch 2.7 with CUDA 12.8, Jupyter and the data loaders of the vision group",
        instance_id: &instance_id,
        softwares: Some(r#"{"Framework":"PyTorch","FrameworkVersion":"2.7","CUDAVersion":"12.8"}"#),
        software_ports: r#"[{"Software":"JupyterLab","Port":8888}]"#,
        firewall_ports: &[22, 8888],
    };
    let job = &image_id;
    let created = catalog.create_image(Scope::own(account), image, job, FIRST_CREATE_TIME).await?;
    let claimed = catalog.claim_job("bench", i64::MAX, FIRST_CREATE_TIME, 60).await?;
    let (CreateImage::Created, Some(job)) = (created, claimed) else {
        bail!("a new catalogue refused an image: {created:?}");
    };
    // This benchmark reads no image data, so the manifest need not exist.
    let manifest = "0".repeat(64);
    match catalog.complete_job(&job, BuiltImage::dense(&manifest, SIZE_BYTES), FIRST_CREATE_TIME).await? {
        JobEnd::Ended => Ok(image_id),
        JobEnd::Lost | JobEnd::OverLimit(_) => bail!("the job of a new image is lost"),
    }
}

/// Copies the row of an image, which is faster than a transaction per image.
fn copy(path: &Path, first: &str, images: u32) -> Result<()> {
    let mut connection = rusqlite::Connection::open(path)?;
    let transaction = connection.transaction()?;
    let columns: Vec<String> =
        transaction.prepare("SELECT * FROM images")?.column_names().map(str::to_owned).collect();
    let value = |column: &String| match column.as_str() {
        "id" => "printf('%s%09d', substr(id, 1, length(id) - 9), n)".to_owned(),
        "name" => "'训练环境-' || n".to_owned(),
        "create_time" => "create_time + n / 3".to_owned(),
        "seq" | "ordinal" => format!("{column} + n"),
        _ => column.clone(),
    };
    let values: Vec<String> = columns.iter().map(value).collect();
    let copies = format!(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < ?1)
         INSERT INTO images ({}) SELECT {} FROM numbers, images WHERE id = ?2",
        columns.join(", "),
        values.join(", ")
    );
    transaction.execute(&copies, (images, first))?;
    transaction.execute(
        "UPDATE image_counts SET images = ?1 WHERE account_id = (SELECT account_id FROM images WHERE id = ?2)",
        (images, first),
    )?;
    // Images that are created later are newer.
    transaction
        .execute("UPDATE accounts SET image_seq = image_seq + ?1, image_time = image_time + ?1", [images])?;
    transaction.execute("UPDATE counters SET ordinal = ordinal + ?1", [images])?;
    Ok(transaction.commit()?)
}
