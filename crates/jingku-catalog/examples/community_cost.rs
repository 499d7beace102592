//! Measures what a page of the community costs on SQLite, both statements: `cargo run --release -p jingku-catalog --example
//! community_cost`.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement, run by hand")]

use std::path::Path;
use std::time::{Duration, Instant};

use jingku_catalog::{
    AccountId, BuiltImage, Catalog, GroupFilter, GroupOrder, GroupSort, ImageChanges, NewAccount, NewImage,
    NewInstance, Paging, Scope, Submission, VersionFilter,
};

const GROUPS: u32 = 10_000;
const VERSIONS: u32 = 3;
const FIRST: Paging<'static> = Paging::first(20);

#[tokio::main]
async fn main() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("catalog.db");
    let catalog = Catalog::open_sqlite(&path).await.unwrap();
    fill(&catalog, &path).await;
    let (all, usual) = (GroupFilter::default(), GroupOrder::default());
    let by = |by| GroupOrder { by, ascending: false };
    let half = Paging::Offset { offset: GROUPS / 2, limit: 1 };
    let viewer = AccountId(1);
    let page = catalog.groups_page(Scope::published(), viewer, all, usual, half).await.unwrap();
    let cursor = page.next.unwrap();
    println!(
        "µs a page of {GROUPS} groups with {VERSIONS} versions each (the fastest of 5 rounds, mean of a round)"
    );
    for (name, filter, order, paging) in [
        ("20 groups, usual order", all, usual, FIRST),
        ("100 groups, usual order", all, usual, Paging::first(100)),
        ("20 groups at the end", all, usual, Paging::Offset { offset: GROUPS - 20, limit: 20 }),
        ("20 groups after half, by token", all, usual, Paging::After { cursor: &cursor, limit: 20 }),
        ("20 groups by time of publication", all, by(GroupSort::PubTime), FIRST),
        ("20 groups by favour", all, by(GroupSort::Favor), FIRST),
        ("20 groups of a search of two words", GroupFilter { words: Some("torch lab"), ..all }, usual, FIRST),
        ("20 groups with a tag", GroupFilter { tags: &["LLM"], ..all }, usual, FIRST),
        ("20 groups held in a zone", GroupFilter { zones: Some(&["cn-wlcb-01"]), ..all }, usual, FIRST),
    ] {
        println!("{:>10.0}  {name}", cost(&catalog, filter, order, paging).await);
    }
}

async fn cost(catalog: &Catalog, filter: GroupFilter<'_>, order: GroupOrder, paging: Paging<'_>) -> f64 {
    let mut fastest = Duration::MAX;
    for _ in 0..5 {
        let mut pages = 0;
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_millis(200) {
            let page =
                catalog.groups_page(Scope::published(), AccountId(1), filter, order, paging).await.unwrap();
            let ids: Vec<&str> = page.items.iter().map(|group| group.id.as_str()).collect();
            let wanted = VersionFilter {
                image_id: None,
                zones: filter.zones,
                versions_max: 10,
                are_few: true,
                readme_chars_max: 10_000,
            };
            let images = catalog.versions(Scope::published(), &ids, wanted).await.unwrap();
            assert_eq!(images.len(), ids.len() * VERSIONS as usize);
            pages += 1;
        }
        fastest = fastest.min(begin.elapsed() / pages);
    }
    fastest.as_secs_f64() * 1e6
}

/// Publishes one image and copies its row and its group's, which is faster than a transaction for each.
async fn fill(catalog: &Catalog, path: &Path) {
    let new = NewAccount { name: "Vision Lab", project_id: "org-lab" };
    let Some(account) = catalog.create_account(new, 0).await.unwrap() else {
        unreachable!("the catalogue is new")
    };
    let instance = NewInstance {
        id: "uhost-1pafu1vekpoe",
        account: account.id,
        name: "training",
        region: "cn-wlcb",
        zone: "cn-wlcb-01",
        disk: "{}",
        size_bytes: 100 << 30,
        gpu_type: "4090",
        container: None,
    };
    catalog.add_instance(instance, None, 0).await.unwrap();
    let image = NewImage {
        id: "compshareImage-first",
        name: "first",
        description: "PyTorch 2.7 with CUDA 12.8, Jupyter and the data loaders of the vision group",
        instance_id: instance.id,
        softwares: Some(r#"{"Framework":"PyTorch","FrameworkVersion":"2.7","CUDAVersion":"12.8"}"#),
        software_ports: r#"[{"Software":"JupyterLab","Port":8888}]"#,
        firewall_ports: &[22, 8888],
        options: "",
    };
    let scope = Scope::own(account.id);
    catalog.create_image(scope, image, "job", 0).await.unwrap();
    let job = catalog.claim_job("worker", i64::MAX, 0, 60).await.unwrap().unwrap();
    catalog.complete_job(&job, BuiltImage::dense("manifest", 100 << 30), 0).await.unwrap();
    let readme = "# How to use it\n".repeat(60);
    let changes =
        ImageChanges { readme: Some(&readme), tags: Some(&["LLM", "cv"]), ..ImageChanges::default() };
    let submission = Submission {
        new_group_id: "first",
        community_name: Some("PyTorch"),
        approve: true,
        containers_only: false,
    };
    catalog.publish_image(scope, image.id, submission, changes, None, 0).await.unwrap();

    let mut connection = rusqlite::Connection::open(path).unwrap();
    let transaction = connection.transaction().unwrap();
    for (table, rows, values) in [
        (
            "image_groups",
            GROUPS,
            &[("id", "printf('%012d', n)"), ("pub_time", "n"), ("published_ordinal", "n"), ("versions", "3")]
                [..],
        ),
        (
            "images",
            GROUPS * VERSIONS,
            &[
                ("id", "printf('compshareImage-%012d', n)"),
                ("name", "'PyTorch-' || n"),
                ("group_id", "printf('%012d', n / 3)"),
                ("version_name", "'v' || n"),
                ("submitted_at", "n"),
                ("submitted_ordinal", "n"),
                ("seq", "n + 2"),
                ("ordinal", "n"),
                ("create_time", "n"),
            ],
        ),
    ] {
        let statement = transaction.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
        drop(statement);
        let value = |name: &String| {
            values
                .iter()
                .find(|(column, _)| column == name)
                .map_or(name.clone(), |(_, value)| (*value).to_owned())
        };
        let copies = format!(
            "WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < {rows})
             INSERT INTO {table} ({}) SELECT {} FROM numbers, {table}",
            names.join(", "),
            names.iter().map(value).collect::<Vec<_>>().join(", ")
        );
        transaction.execute(&copies, []).unwrap();
    }
    transaction
        .execute_batch("UPDATE images SET visibility = 0, group_id = '' WHERE id = 'compshareImage-first'")
        .unwrap();
    transaction
        .execute_batch("UPDATE image_groups SET versions = 0, public_versions = 0 WHERE id = 'first'")
        .unwrap();
    transaction.commit().unwrap();
}
