//! A sweep by another process runs beside random operations on images, interleaved step by step: no image loses a byte,
//! no check reports a finding, and no garbage remains.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jingku_library::{BackUp, DataDir, Depth, DiskFormat, EmptyTrash, LibraryError, Random, SeededRandom};
use jingku_protocol::PlatformType;
use jingku_protocol::actions::Action;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::support::{Caller, Service, disk_bytes, wait_until};

const SEEDS: u64 = 6;
const OPERATIONS: usize = 120;
const INSTANCES: u64 = 3;

/// Sweeps repeatedly, one step per permit.
struct Sweeper {
    permits: Option<mpsc::Sender<()>>,
    sweeps: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

impl Sweeper {
    fn start(service: Service) -> Self {
        let (permits, inbox) = mpsc::channel(64);
        let (inbox, sweeps) = (Arc::new(Mutex::new(inbox)), Arc::new(AtomicU64::new(0)));
        let count = Arc::clone(&sweeps);
        let task = tokio::spawn(async move {
            loop {
                let (inbox, ended_early) = (Arc::clone(&inbox), Arc::new(AtomicU64::new(0)));
                let ended = Arc::clone(&ended_early);
                let step = move |_, _| {
                    let permitted = inbox.lock().unwrap().blocking_recv().is_some();
                    ended_early.store(u64::from(!permitted), Ordering::Relaxed);
                    permitted
                };
                service.context.library.sweep(false, step).await.unwrap();
                if ended.load(Ordering::Relaxed) == 1 {
                    return;
                }
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
        Self { permits: Some(permits), sweeps, task }
    }

    async fn step(&self) {
        self.permits.as_ref().unwrap().send(()).await.unwrap();
    }

    async fn stop(mut self) -> u64 {
        self.permits = None;
        self.task.await.unwrap();
        self.sweeps.load(Ordering::Relaxed)
    }
}

struct Scene {
    service: Service,
    caller: Caller,
    random: SeededRandom,
    made: u64,
}

impl Scene {
    fn roll(&self, end: u64) -> u64 {
        let mut bytes = [0; 8];
        self.random.fill(&mut bytes);
        u64::from_le_bytes(bytes) % end
    }

    async fn any_image(&self) -> Option<String> {
        let images = self.caller.images(&[("Limit", "100")]).await;
        let chosen = images.get(usize::try_from(self.roll(images.len().max(1) as u64)).unwrap())?;
        Some(chosen["CompShareImageId"].as_str().unwrap().to_owned())
    }

    async fn operate(&mut self) {
        match self.roll(12) {
            0..=2 => {
                let instance = self.roll(INSTANCES);
                self.made += 1;
                let name = format!("s{instance}-{}", self.made);
                // The instance may be busy.
                let params = [("UHostId", &*format!("uhost-{instance}")), ("Name", &*name)];
                let made = self.caller.call(Action::CreateCompShareCustomImage, &params).await;
                // Half of the images are waited for, so that their ages differ.
                if self.roll(2) == 0
                    && let Some(id) = made.json["CompShareImageId"].as_str()
                {
                    self.caller.wait_while_making(id).await;
                }
            }
            3..=5 => {
                let Some(id) = self.any_image().await else { return };
                let ids = [("CompShareImageId", &*id)];
                self.caller.call(Action::TerminateCompShareCustomImage, &ids).await;
            }
            6 => {
                let Some(id) = self.any_image().await else { return };
                // The copy of an image being made is refused.
                self.caller.call(Action::CopyCompShareCustomImage, &[("CompShareImageId", &*id)]).await;
            }
            7 => {
                let Some(id) = self.any_image().await else { return };
                let _ = self.service.context.library.promote_image(&id, PlatformType::System, None).await;
            }
            8 | 9 => {
                let trash = self.service.context.library.trash().await.unwrap();
                let Some(image) = trash.get(usize::try_from(self.roll(trash.len().max(1) as u64)).unwrap())
                else {
                    return;
                };
                match self.service.context.library.restore_image(&image.id, None).await {
                    Ok(_) | Err(LibraryError::NeverMade(_) | LibraryError::TrashNameTaken { .. }) => {}
                    Err(error) => panic!("{error}"),
                }
            }
            _ => drop(self.service.context.library.empty_trash(EmptyTrash::default()).await.unwrap()),
        }
    }

    /// Checks that every image has the bytes of its instance; returns how many there are.
    async fn assert_intact(&self, seed: u64) -> usize {
        for image in self.service.context.library.trash().await.unwrap() {
            if image.status.as_str() == "Available" {
                let name = format!("r-{}", &image.id[image.id.len() - 8..]);
                let seed_of = &image.name[..2];
                self.service
                    .context
                    .library
                    .restore_image(&image.id, Some(&format!("{seed_of}{name}")))
                    .await
                    .unwrap();
            }
        }
        let mut images = self.caller.images(&[("Limit", "100")]).await;
        images.extend(platform(&self.caller).await);
        for image in &images {
            let (id, name) = (image["CompShareImageId"].as_str().unwrap(), image["Name"].as_str().unwrap());
            let instance: u64 = name[1..2].parse().unwrap();
            let export = [("CompShareImageId", id)];
            let exported = self.caller.call(Action::ExportCompShareCustomImage, &export).await;
            assert!(exported.body == disk_bytes(instance), "image {id} is corrupted, seed {seed}");
        }
        images.len()
    }
}

async fn platform(caller: &Caller) -> Vec<Value> {
    let mut reply = caller.ok(Action::DescribeCompShareImages, &[("Limit", "100")]).await;
    serde_json::from_value(reply["ImageSet"].take()).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sweep_never_removes_what_an_image_needs() {
    let (mut sweeps, mut images) = (0, 0);
    for seed in 0..SEEDS {
        let service = Service::start().await;
        for instance in 0..INSTANCES {
            let id = format!("uhost-{instance}");
            service.instance(&id, &service.disk(&id, DiskFormat::Raw, instance)).await;
        }
        let workers = service.start_workers().await;
        let sweeper = Sweeper::start(service.reopen().await);
        let caller = service.caller();
        let mut scene = Scene { service, caller, random: SeededRandom::new(seed), made: 0 };
        let backup = scene.service.folder.path().join("backup");
        let data = DataDir::open_or_create(&scene.service.folder.path().join("data")).unwrap();
        for operation in 0..OPERATIONS {
            for _ in 0..scene.roll(4) {
                sweeper.step().await;
            }
            scene.operate().await;
            let context = &scene.service.context;
            if operation % 20 == 10 {
                let checked = context.library.check(Depth::Headers, |_| true).await.unwrap().unwrap();
                assert!(checked.is_clean(), "{checked:?}, seed {seed}");
            }
            if operation % 40 == 30 {
                let how =
                    BackUp { folder: &backup, verify: false, with_master_key: false, keep: 2, force: true };
                let (backed_up, ()) = tokio::join!(context.library.back_up(&data, how), async {
                    context.library.empty_trash(EmptyTrash::default()).await.unwrap();
                    for _ in 0..12 {
                        sweeper.step().await;
                        // Not evidence: spread the steps over the time of the backup.
                        tokio::time::sleep(Duration::from_millis(1)).await;
                    }
                });
                assert!(backed_up.unwrap().damage.is_empty(), "seed {seed}");
            }
        }
        let all_made = async || {
            let images = scene.caller.images(&[("Limit", "100")]).await;
            images.iter().all(|image| image["Status"] != "Making")
        };
        wait_until("all jobs end", all_made).await;
        images += scene.assert_intact(seed).await;
        sweeps += sweeper.stop().await;
        workers.stop().await;
        let checked = scene.service.context.library.check(Depth::Bytes, |_| true).await.unwrap().unwrap();
        assert!(checked.is_clean() && checked.report.unreferenced_findings == 0, "{checked:?}, seed {seed}");
        scene.service.context.library.sweep(false, |_, _| true).await.unwrap();
        let usage = scene.service.context.library.usage().await.unwrap();
        assert_eq!((usage.garbage.objects, usage.missing_chunks), (0, 0), "seed {seed}");
    }
    println!("{sweeps} sweeps beside {} operations; {images} images in the end", SEEDS * OPERATIONS as u64);
    assert!(sweeps > SEEDS && images > 0, "too little was tested: {sweeps} sweeps, {images} images");
}
