//! Creates accounts with many images, directly in the catalogue while no server runs.

use std::path::Path;

use anyhow::{Result, ensure};
use jingku_catalog::{AccountId, Catalog, ImageStatus, SeedImage, SeedImages};

use crate::bench::daemon::Account;

/// A time in April 2024; every third image is a second newer.
const FIRST_CREATE_TIME: i64 = 1_712_563_200;

/// Creates images in an account. This benchmark reads no image data, so their manifest need not exist.
pub(in crate::bench) fn fill(data: &Path, account: &Account, images: u32) -> Result<()> {
    let (path, manifest) = (data.join("catalog.db"), "0".repeat(64));
    let image = |number: u32| SeedImage {
        id: format!("compshareImage-{:03}{number:09}", account.id),
        account: AccountId(account.id),
        name: format!("训练环境-{number}"),
        status: ImageStatus::Available,
        description: "PyTorch 2.7 with CUDA 12.8, Jupyter and the data loaders of the vision group",
        readme: "",
        tags: &[],
        supported_gpu_types: &[],
        price_cents: 0,
        failed_reason: "",
        create_time: FIRST_CREATE_TIME + i64::from(number) / 3,
        region: "cn-wlcb",
        zone: "cn-wlcb-01",
        source_gpu_type: "4090",
        source_instance_id: "uhost-training",
        size_bytes: 100 << 30,
        manifest: Some(&manifest),
        done_bytes: 0,
        container: false,
        platform_type: "",
        shared_with: &[],
        version: None,
    };
    let images: Vec<_> = (0..images).map(image).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let seeded = runtime.block_on(async {
        let catalog = Catalog::open_sqlite(&path).await?;
        catalog.seed_images(&images, &[], FIRST_CREATE_TIME).await
    })?;
    ensure!(seeded == SeedImages::Seeded, "a new account refused images: {seeded:?}");
    let softwares = r#"{"Framework":"PyTorch","FrameworkVersion":"2.7","CUDAVersion":"12.8"}"#;
    let ports = r#"[{"Software":"JupyterLab","Port":8888}]"#;
    let columns = "softwares = ?1, software_ports = ?2, firewall_ports = '[22,8888]'";
    let change = format!("UPDATE images SET {columns}");
    rusqlite::Connection::open(path)?.execute(&change, [softwares, ports])?;
    Ok(())
}
