//! Measures what the audit log costs: changes per second with and without entries, on SQLite and PostgreSQL, and the size
//! of an entry: `cargo run --release -p jingku-catalog --features testing --example change_cost`.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement, run by hand")]

use std::path::Path;
use std::time::{Duration, Instant};

use jingku_catalog::{
    AccountId, BuiltImage, Catalog, Channel, CreateImage, ImageChanges, NewAccount, NewAuditEntry, NewImage,
    NewInstance, Scope, testing,
};
use tokio::task::JoinSet;

const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(1);

#[tokio::main]
async fn main() {
    println!("changes per second (the median of {ROUNDS} rounds), and what remains of them with the log");
    println!(
        "{:>12} {:>8} {:>8} {:>10} {:>10} {:>6}",
        "catalogue", "change", "writers", "without", "with", ""
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("catalog.db");
    let mut catalogs = vec![("SQLite", Catalog::open_sqlite(&path).await.unwrap())];
    if let Some(url) = testing::postgres_database().await {
        catalogs.push(("PostgreSQL", Catalog::connect_postgres(&url, None).await.unwrap()));
    }
    for (engine, catalog) in &catalogs {
        let accounts = fill(catalog).await;
        for creates in [false, true] {
            for writers in [1, 16] {
                measure(engine, catalog, &accounts[..writers], creates).await;
            }
        }
    }
    measure_size(&path, &catalogs[0].1).await;
}

/// Alternates rounds, so that what else the machine does affects both.
async fn measure(engine: &str, catalog: &Catalog, accounts: &[AccountId], creates: bool) {
    let (mut without, mut with) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        without.push(rate(catalog, accounts, creates, false, round).await);
        with.push(rate(catalog, accounts, creates, true, round).await);
    }
    let [without, with] = [without, with].map(|mut rates| {
        rates.sort_by(f64::total_cmp);
        rates[ROUNDS / 2]
    });
    let (change, writers) = (if creates { "create and delete" } else { "update" }, accounts.len());
    let ratio = with / without;
    println!("{engine:>12} {change:>17} {writers:>8} {without:>10.0} {with:>10.0} {ratio:>6.2}");
}

/// Each account changes its own images.
async fn rate(catalog: &Catalog, accounts: &[AccountId], creates: bool, audited: bool, round: usize) -> f64 {
    let mut writers = JoinSet::new();
    let (begin, writing) = (Instant::now(), accounts.len());
    for account in accounts.iter().copied() {
        let catalog = catalog.clone();
        writers.spawn(async move {
            let mut changes = 0_u32;
            while begin.elapsed() < ROUND {
                let id = format!("compshareImage-{}-{writing}-{audited}-{round}-{changes}", account.0);
                if creates {
                    apply(&catalog, account, &id, audited, create(&catalog, account, &id)).await;
                    // Frees the instance.
                    let delete = catalog.delete_image(Scope::own(account), &id, 0);
                    apply(&catalog, account, &id, audited, delete).await.unwrap();
                } else {
                    let update = update(&catalog, account, changes);
                    apply(&catalog, account, &image_id(account), audited, update).await;
                }
                changes += 1;
            }
            changes
        });
    }
    let mut changes = 0;
    while let Some(ended) = writers.join_next().await {
        changes += ended.unwrap();
    }
    f64::from(changes) / begin.elapsed().as_secs_f64()
}

async fn apply<T>(
    catalog: &Catalog,
    account: AccountId,
    subject: &str,
    audited: bool,
    change: impl Future<Output = T>,
) -> T {
    if !audited {
        return change.await;
    }
    let (outcome, written) = catalog.audited(entry(account, subject), change).await;
    assert!(written);
    outcome
}

fn entry(account: AccountId, subject: &str) -> NewAuditEntry {
    NewAuditEntry {
        time: 1_800_000_000,
        account,
        channel: Channel::Api,
        public_key: "4eZBmTEFqE0xjWyHkNBqVvqyDhpRbRZ7".to_owned(),
        address: "192.168.100.200".to_owned(),
        action: "TerminateCompShareCustomImage".to_owned(),
        subject: subject.to_owned(),
        ret_code: 0,
        request_id: "6b9e6b1c-1f5e-4d3c-9a55-6f0e6d1f0a11".to_owned(),
    }
}

fn image_id(account: AccountId) -> String {
    format!("compshareImage-1kjfd{:07}", account.0)
}

/// Creates 16 accounts with an instance and an image each.
async fn fill(catalog: &Catalog) -> Vec<AccountId> {
    let mut accounts = Vec::new();
    for number in 0..16 {
        let (name, project_id) = (format!("lab-{number}"), format!("org-{number}"));
        let new = NewAccount { name: &name, project_id: &project_id };
        let account = catalog.create_account(new, 0).await.unwrap().unwrap().id;
        let new = NewInstance {
            id: &name,
            account,
            name: "training",
            region: "cn-wlcb",
            zone: "cn-wlcb-01",
            disk: "{}",
            size_bytes: 1 << 30,
            gpu_type: "4090",
            container: None,
        };
        catalog.add_instance(new, None, 0).await.unwrap();
        create(catalog, account, &image_id(account)).await;
        let job = catalog.claim_job("worker", i64::MAX, 0, 60).await.unwrap().unwrap();
        catalog.complete_job(&job, BuiltImage::dense("manifest", 5), 0).await.unwrap();
        accounts.push(account);
    }
    accounts
}

async fn create(catalog: &Catalog, account: AccountId, id: &str) {
    let new = NewImage {
        id,
        name: id,
        description: "",
        instance_id: &format!("lab-{}", account.0 - 1),
        softwares: None,
        software_ports: "[]",
        firewall_ports: &[],
        options: "",
    };
    let created = catalog.create_image(Scope::own(account), new, id, 0).await.unwrap();
    assert_eq!(created, CreateImage::Created);
}

async fn update(catalog: &Catalog, account: AccountId, number: u32) {
    let description = number.to_string();
    let changes = ImageChanges { description: Some(&description), ..ImageChanges::default() };
    catalog.update_image(Scope::own(account), &image_id(account), changes, 0).await.unwrap();
}

async fn measure_size(path: &Path, catalog: &Catalog) {
    const ENTRIES: u64 = 10_000;
    let size = async |path: &Path| {
        let copy = path.with_extension("copy");
        catalog.back_up(&copy).await.unwrap();
        let size = std::fs::metadata(&copy).unwrap().len();
        std::fs::remove_file(copy).unwrap();
        size
    };
    let before = size(path).await;
    for number in 0..ENTRIES {
        let entry = entry(AccountId(1), &format!("compshareImage-1kjf{number:08}"));
        catalog.append_audit_entry(&entry).await.unwrap();
    }
    println!("bytes of an entry on SQLite: {}", (size(path).await - before) / ENTRIES);
}
