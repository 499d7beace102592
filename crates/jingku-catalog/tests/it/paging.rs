//! Pages compared with a list kept in memory.

use std::sync::atomic::{AtomicU32, Ordering};

use jingku_catalog::{
    Account, AddInstance, Catalog, CreateImage, DeleteImage, Image, ImageChanges, ImageFilter, NewInstance,
    Page, Paging, Scope, UpdateImage,
};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tokio::runtime::Handle;

use crate::engines::{Engine, on_every_engine};
use crate::setting::{account, new_image};

on_every_engine!(pages_are_those_of_a_sorted_list, a_walk_sees_every_image_once_while_others_come_and_go);

const ZONES: [&str; 3] = ["cn-wlcb-01", "cn-sh2-02", "us-den-01"];

#[derive(Clone, Debug)]
enum Step {
    /// Moves the clock by some seconds, perhaps back, and adds an image in a zone.
    Add {
        zone: usize,
        seconds: i64,
    },
    Delete(prop::sample::Index),
    Rename(prop::sample::Index),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let add = || (0..ZONES.len(), -1..2_i64).prop_map(|(zone, seconds)| Step::Add { zone, seconds });
    let step = prop_oneof![
        4 => add(),
        1 => any::<prop::sample::Index>().prop_map(Step::Delete),
        1 => any::<prop::sample::Index>().prop_map(Step::Rename),
    ];
    prop::collection::vec(step, 0..25)
}

/// The expected number, id, zone and name of each image, last created first.
type Model = Vec<(u32, String, &'static str, String)>;

/// An account with one instance per image, so that many can be made at once.
struct Library {
    catalog: Catalog,
    account: Account,
    model: Model,
    added: u32,
    now: i64,
}

impl Library {
    async fn new(catalog: &Catalog, name: &str) -> Self {
        let account = account(catalog, name).await;
        Self { catalog: catalog.clone(), account, model: Vec::new(), added: 0, now: 0 }
    }

    fn scope(&self) -> Scope {
        Scope::own(self.account.id)
    }

    async fn add(&mut self, zone: &'static str, seconds: i64) {
        self.now += seconds;
        self.added += 1;
        // Ids must not increase with time, to expose an order by id.
        let number = self.added * 7 % 101;
        let id = format!("{}-image-{number:03}", self.account.name);
        let (job, vm, name) = (format!("job-{id}"), format!("vm-{id}"), format!("name-{number}"));
        let instance = NewInstance {
            id: &vm,
            account: self.account.id,
            name: "vm",
            region: "region",
            zone,
            disk: "{}",
            size_bytes: 1,
            gpu_type: "",
            container: None,
        };
        assert_eq!(self.catalog.add_instance(instance, None, self.now).await.unwrap(), AddInstance::Added);
        let new = new_image(&id, &name, &vm);
        let created = self.catalog.create_image(self.scope(), new, &job, self.now).await;
        assert_eq!(created.unwrap(), CreateImage::Created);
        self.model.insert(0, (self.added, id, zone, name));
    }

    async fn take(&mut self, step: &Step) {
        match step {
            Step::Add { zone, seconds } => self.add(ZONES[*zone], *seconds).await,
            Step::Delete(_) | Step::Rename(_) if self.model.is_empty() => {}
            Step::Delete(index) => {
                let (_, id, ..) = self.model.remove(index.index(self.model.len()));
                let deleted = self.catalog.delete_image(self.scope(), &id, self.now).await.unwrap();
                assert_eq!(deleted, DeleteImage::Deleted);
            }
            Step::Rename(index) => {
                let place = index.index(self.model.len());
                let name = format!("{}+", self.model[place].3);
                let changes = ImageChanges { name: Some(&name), ..ImageChanges::default() };
                let id = &self.model[place].1;
                let updated = self.catalog.update_image(self.scope(), id, changes, self.now).await.unwrap();
                assert_eq!(updated, UpdateImage::Updated);
                self.model[place].3 = name;
            }
        }
    }

    /// Compares every page of every filter with the model.
    async fn check(&self, limit: u32) {
        for zones in [None, Some(&ZONES[..1]), Some(&ZONES[1..]), Some(&[][..])] {
            let expected: Vec<(&str, &str)> = self
                .model
                .iter()
                .filter(|(_, _, zone, _)| zones.is_none_or(|zones| zones.contains(zone)))
                .map(|(_, id, _, name)| (id.as_str(), name.as_str()))
                .collect();
            let filter = ImageFilter { zones, ..ImageFilter::default() };
            for offset in 0..=expected.len() + 1 {
                let paging = Paging::Offset { offset: u32::try_from(offset).unwrap(), limit };
                let page = self.catalog.images_page(self.scope(), filter, paging).await.unwrap();
                let end = expected.len().min(offset + limit as usize);
                let rows: Vec<_> =
                    page.items.iter().map(|image| (image.id.as_str(), image.name.as_str())).collect();
                assert_eq!(rows, expected.get(offset..end).unwrap_or_default());
                assert_eq!(page.total, i64::try_from(expected.len()).unwrap());
                assert_eq!(page.next.is_some(), end < expected.len() && limit > 0);
                let newest = self.catalog.newest_images(self.scope(), zones, paging).await.unwrap().unwrap();
                let seqs = |page: &Page<Image>| page.items.iter().map(|image| image.seq).collect::<Vec<_>>();
                assert_eq!(newest.rows.iter().map(|row| row.seq).collect::<Vec<_>>(), seqs(&page));
                assert_eq!((newest.total, &newest.next), (page.total, &page.next));
                let Some(cursor) = page.next else { continue };
                let paging = Paging::After { cursor: &cursor, limit };
                let after = self.catalog.images_page(self.scope(), filter, paging).await.unwrap();
                let rows: Vec<_> =
                    after.items.iter().map(|image| (image.id.as_str(), image.name.as_str())).collect();
                assert_eq!(rows, expected[end..expected.len().min(end + limit as usize)]);
            }
        }
        for (_, id, zone, _) in &self.model {
            for (zones, total) in [(None, 1), (Some(&[*zone][..]), 1), (Some(&["elsewhere"][..]), 0)] {
                let filter = ImageFilter { id: Some(id), zones, ..ImageFilter::default() };
                let page = self.catalog.images_page(self.scope(), filter, Paging::first(1)).await.unwrap();
                assert_eq!((page.total, page.items.len()), (total, usize::try_from(total).unwrap()));
                let past = Paging::Offset { offset: 1, limit: 1 };
                let page = self.catalog.images_page(self.scope(), filter, past).await.unwrap();
                assert_eq!((page.total, page.items.len()), (total, 0));
            }
        }
    }
}

async fn pages_are_those_of_a_sorted_list(Engine { catalog, .. }: Engine) {
    let runtime = Handle::current();
    let checked = tokio::task::spawn_blocking(move || {
        let mut runner = TestRunner::new(Config { cases: 12, ..Config::default() });
        let cases = AtomicU32::new(1);
        // Shrinking replays on the same catalogue, so each run has its own account.
        runner.run(&(steps(), 0..6_u32), |(steps, limit)| {
            let case = cases.fetch_add(1, Ordering::Relaxed);
            runtime.block_on(async {
                let mut library = Library::new(&catalog, &format!("account-{case}")).await;
                for step in &steps {
                    library.take(step).await;
                }
                library.check(limit).await;
            });
            Ok(())
        })
    });
    checked.await.unwrap().unwrap();
}

async fn a_walk_sees_every_image_once_while_others_come_and_go(Engine { catalog, .. }: Engine) {
    let mut library = Library::new(&catalog, "lab").await;
    for number in 0..30 {
        library.add(ZONES[number % 2], i64::try_from(number % 3).unwrap()).await;
    }
    let there_before: Vec<String> = library.model.iter().map(|(_, id, ..)| id.clone()).collect();
    let mut seen: Vec<String> = Vec::new();
    let mut next = None;
    loop {
        let paging = match &next {
            Some(cursor) => Paging::After { cursor, limit: 4 },
            None => Paging::first(4),
        };
        let page = catalog.images_page(library.scope(), ImageFilter::default(), paging).await.unwrap();
        seen.extend(page.items.into_iter().map(|image| image.id));
        // One is added, and the newest, already seen, is deleted.
        library.add(ZONES[2], 1).await;
        let newest_seen = library.model.iter().position(|(_, id, ..)| seen.contains(id));
        let (_, id, ..) = library.model.remove(newest_seen.expect("some are left"));
        catalog.delete_image(library.scope(), &id, library.now).await.unwrap();
        next = page.next;
        if next.is_none() {
            break;
        }
    }
    assert_eq!(seen, there_before);
}
