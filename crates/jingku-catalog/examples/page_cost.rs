//! Measures what a page of 20 images costs on SQLite: `cargo run --release -p jingku-catalog --example page_cost`.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement, run by hand")]

use std::path::Path;
use std::time::{Duration, Instant};

use jingku_catalog::{
    AccountId, Catalog, Cursor, ImageFilter, NewAccount, NewImage, NewInstance, Paging, Scope,
};

const ZONE: &str = "cn-wlcb-01";
const PAGE: u32 = 20;

#[tokio::main]
async fn main() {
    println!("µs a page of {PAGE} images (the fastest of 5 rounds, mean of a round)");
    println!("{:>8} {:>10} {:>10} {:>10} {:>10}", "images", "offset 0", "the end", "in a zone", "after half");
    for images in [20, 1_000, 100_000] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("catalog.db");
        let catalog = Catalog::open_sqlite(&path).await.unwrap();
        let account = fill(&catalog, &path, images).await;
        let scope = Scope::own(account);
        let all = ImageFilter::default();
        let in_zone = ImageFilter { zones: Some(&[ZONE]), ..all };
        let half = half_way(&catalog, scope, images).await;
        let end = Paging::Offset { offset: images - PAGE, limit: PAGE };
        println!(
            "{images:>8} {:>10.1} {:>10.1} {:>10.1} {:>10.1}",
            cost(&catalog, scope, all, Paging::first(PAGE)).await,
            cost(&catalog, scope, all, end).await,
            cost(&catalog, scope, in_zone, Paging::first(PAGE)).await,
            cost(&catalog, scope, all, Paging::After { cursor: &half, limit: PAGE }).await,
        );
    }
}

async fn half_way(catalog: &Catalog, scope: Scope, images: u32) -> Cursor {
    let paging = Paging::Offset { offset: images / 2, limit: 1 };
    catalog.images_page(scope, ImageFilter::default(), paging).await.unwrap().next.unwrap()
}

async fn cost(catalog: &Catalog, scope: Scope, filter: ImageFilter<'_>, paging: Paging<'_>) -> f64 {
    let mut fastest = Duration::MAX;
    for _ in 0..5 {
        let mut pages = 0;
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_millis(200) {
            let page = catalog.images_page(scope, filter, paging).await.unwrap();
            assert!(!page.items.is_empty());
            pages += 1;
        }
        fastest = fastest.min(begin.elapsed() / pages);
    }
    fastest.as_secs_f64() * 1e6
}

/// Creates one image and copies its row, which is faster than a transaction for each.
async fn fill(catalog: &Catalog, path: &Path, images: u32) -> AccountId {
    let new = NewAccount { name: "lab", project_id: "org-lab" };
    let Some(account) = catalog.create_account(new, 0).await.unwrap() else {
        unreachable!("the catalogue is new")
    };
    let instance = NewInstance {
        id: "uhost-1pafu1vekpoe",
        account: account.id,
        name: "training",
        region: "cn-wlcb",
        zone: ZONE,
        disk: "{}",
        size_bytes: 100 << 30,
        gpu_type: "4090",
    };
    catalog.add_instance(instance, None, 0).await.unwrap();
    let image = NewImage {
        id: "compshareImage-000000000000",
        name: "训练环境-0",
        description: "PyTorch 2.7 with CUDA 12.8, Jupyter and the data loaders of the vision group",
        instance_id: instance.id,
        softwares: Some(r#"{"Framework":"PyTorch","FrameworkVersion":"2.7","CUDAVersion":"12.8"}"#),
        software_ports: r#"[{"Software":"JupyterLab","Port":8888}]"#,
        firewall_ports: &[22, 8888],
    };
    catalog.create_image(Scope::own(account.id), image, "job", 0).await.unwrap();

    let mut connection = rusqlite::Connection::open(path).unwrap();
    let transaction = connection.transaction().unwrap();
    let mut columns: Vec<String> =
        transaction.prepare("SELECT * FROM images").unwrap().column_names().map(str::to_owned).collect();
    let names = columns.join(", ");
    for column in &mut columns {
        match column.as_str() {
            "id" => "printf('compshareImage-%012d', n)".clone_into(column),
            "name" => "'训练环境-' || n".clone_into(column),
            "create_time" => "n / 3".clone_into(column),
            "seq" | "ordinal" => "n + 1".clone_into(column),
            _ => {}
        }
    }
    let copies = format!(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < {images})
         INSERT INTO images ({names}) SELECT {} FROM numbers, images",
        columns.join(", ")
    );
    transaction.execute(&copies, []).unwrap();
    transaction.execute("UPDATE image_counts SET images = ?1", [images]).unwrap();
    transaction.commit().unwrap();
    account.id
}
