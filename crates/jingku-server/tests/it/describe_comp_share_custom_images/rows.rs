//! Pages made of rows in memory, compared with the same pages read with one statement.

use jingku_catalog::{AccountId, Catalog, DeleteImage, ImageChanges, RestoreImage, Scope, UpdateImage};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;
use tokio::runtime::Handle;

use super::{LIST, numbered};
use crate::support::{Caller, NOW, Service};

const IMAGES: usize = 30;
const SCOPE: Scope = Scope::own(AccountId(1));
/// A filter that every image passes, so that the page is found like that of any filter.
const EVERY: (&str, &str) = ("CreatedFrom", "0");
/// An order that is always read with one statement.
const OLDEST_FIRST: [(&str, &str); 2] = [("SortCondition.ASC", "true"), ("Limit", "100")];

/// A change by another process, or a request of a page.
#[derive(Clone, Debug)]
enum Step {
    Rename(Index),
    Delete(Index),
    Restore(Index),
    Forget(Index),
    Share(Index),
    Ask { offset: usize, limit: usize },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => any::<Index>().prop_map(Step::Rename),
        2 => any::<Index>().prop_map(Step::Delete),
        2 => any::<Index>().prop_map(Step::Restore),
        1 => any::<Index>().prop_map(Step::Forget),
        1 => any::<Index>().prop_map(Step::Share),
        6 => (0..=IMAGES, 1..=IMAGES).prop_map(|(offset, limit)| Step::Ask { offset, limit }),
    ]
}

/// The ids of images that are listed, and of those in the trash.
#[derive(Default)]
struct Ids {
    listed: Vec<String>,
    trashed: Vec<String>,
}

fn take(ids: &mut Vec<String>, index: Index) -> Option<String> {
    (!ids.is_empty()).then(|| ids.swap_remove(index.index(ids.len())))
}

async fn change(catalog: &Catalog, other: AccountId, ids: &mut Ids, step: &Step, name: &str) {
    match step {
        Step::Rename(index) if !ids.listed.is_empty() => {
            let id = &ids.listed[index.index(ids.listed.len())];
            let changes = ImageChanges { name: Some(name), ..ImageChanges::default() };
            let updated = catalog.update_image(SCOPE, id, changes, NOW).await.unwrap();
            assert_eq!(updated, UpdateImage::Updated);
        }
        Step::Share(index) if !ids.listed.is_empty() => {
            let id = &ids.listed[index.index(ids.listed.len())];
            let share = jingku_catalog::ShareChanges { add: &[other], remove: &[], shares_max: 9 };
            catalog.share_image(SCOPE, id, share, NOW).await.unwrap();
        }
        Step::Delete(index) => {
            let Some(id) = take(&mut ids.listed, *index) else { return };
            assert_eq!(catalog.delete_image(SCOPE, &id, NOW).await.unwrap(), DeleteImage::Deleted);
            ids.trashed.push(id);
        }
        Step::Restore(index) => {
            let Some(id) = take(&mut ids.trashed, *index) else { return };
            let restored = catalog.restore_image(&id, Some(name), NOW).await.unwrap();
            assert_eq!(restored, RestoreImage::Restored(name.to_owned()));
            ids.listed.push(id);
        }
        Step::Forget(index) => {
            let Some(id) = take(&mut ids.trashed, *index) else { return };
            assert!(catalog.purge_image(&id, NOW).await.unwrap());
        }
        Step::Rename(_) | Step::Share(_) | Step::Ask { .. } => {}
    }
}

async fn compare(caller: &Caller, offset: usize, limit: usize) {
    let all = caller.ok(LIST, &OLDEST_FIRST).await;
    let newest_first = all["ImageSet"].as_array().unwrap().iter().rev();
    let expected: Vec<Value> = newest_first.skip(offset).take(limit).cloned().collect();
    let (offset, limit) = (offset.to_string(), limit.to_string());
    let params = [("Offset", &*offset), ("Limit", &*limit)];
    let from_rows = caller.ok(LIST, &params).await;
    let filtered = caller.ok(LIST, &[params[0], params[1], EVERY]).await;
    for page in [&from_rows, &filtered] {
        assert_eq!(page["TotalCount"], all["TotalCount"]);
        assert_eq!(page["ImageSet"].as_array().unwrap(), &expected, "{offset} {limit}");
        assert_eq!(page["NextToken"], from_rows["NextToken"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_rows_in_memory_are_those_of_one_statement() {
    let service = Service::start().await;
    let (other, _) = service.stranger().await;
    let (catalog, caller) = (service.catalog().await, service.caller());
    let runtime = Handle::current();
    let run = move || {
        let mut runner =
            TestRunner::new(Config { cases: 12, failure_persistence: None, ..Config::default() });
        let case = std::sync::atomic::AtomicUsize::new(0);
        runner.run(&vec(step(), 1..60), |steps| {
            let case = case.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            runtime.block_on(async {
                let listed: Vec<String> =
                    numbered(IMAGES / 4).into_iter().map(|id| format!("{id}-{case}")).collect();
                service.add_images(&listed.iter().map(|id| (&**id, NOW)).collect::<Vec<_>>()).await;
                let mut ids = Ids { listed, trashed: Vec::new() };
                for (number, step) in steps.iter().enumerate() {
                    change(&catalog, AccountId(other), &mut ids, step, &format!("name-{case}-{number}"))
                        .await;
                    if let Step::Ask { offset, limit } = step {
                        compare(&caller, *offset, *limit).await;
                    }
                }
                compare(&caller, 0, 100).await;
            });
            Ok(())
        })
    };
    tokio::task::spawn_blocking(run).await.unwrap().unwrap();
}

/// Pages are requested while another process changes the account as fast as it can: every row shows one of the states
/// that it had since the request began.
#[tokio::test(flavor = "multi_thread")]
async fn no_page_shows_a_row_from_before_its_request() {
    let service = Service::start().await;
    let ids = numbered(8);
    service.add_images(&ids.iter().map(|id| (&**id, NOW)).collect::<Vec<_>>()).await;
    let (catalog, caller) = (service.catalog().await, service.caller());
    let done = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counter = std::sync::Arc::clone(&done);
    let changing = tokio::spawn(async move {
        for number in 1..=300 {
            for id in [&ids[2], &ids[5]] {
                let name = format!("{number:05}-{id}");
                let changes = ImageChanges { name: Some(&name), ..ImageChanges::default() };
                catalog.update_image(SCOPE, id, changes, NOW).await.unwrap();
            }
            counter.store(number, std::sync::atomic::Ordering::SeqCst);
        }
    });
    while !changing.is_finished() {
        let before = done.load(std::sync::atomic::Ordering::SeqCst);
        let images = caller.images(&[]).await;
        assert_eq!(images.len(), 8);
        for image in images {
            let name = image["Name"].as_str().unwrap();
            let number = name.split_once('-').and_then(|(number, _)| number.parse::<usize>().ok());
            assert!(number.is_none_or(|number| number >= before), "{name} after change {before}");
        }
    }
    changing.await.unwrap();
}
