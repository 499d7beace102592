//! A client that uses any of several servers and knows what they acknowledged.

use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use compshare::actions::{
    CopyCompShareCustomImageRequest, CreateCompShareCustomImageRequest, DescribeCompShareCustomImagesRequest,
    TerminateCompShareCustomImageRequest,
};
use compshare::{Class, Client, Config, Error, ImageStatus};
use fastrand::Rng;
use tokio::runtime::Runtime;

use super::Host;
use crate::client::runtime;
use crate::disk;
use crate::home::ids;

/// How long it waits for an answer: a server without the database may need longer to refuse.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(50);
/// With this many images it makes no more.
const IMAGES_MAX: usize = 6;

/// An image that a server has acknowledged.
#[derive(Clone, Debug)]
struct Acknowledged {
    id: String,
    name: String,
    /// The instance whose disk it has.
    instance: String,
    /// Whether it was seen as `Available`.
    is_made: bool,
}

/// A client and what it knows.
pub(super) struct Traffic {
    number: usize,
    instance: String,
    servers: Vec<Client>,
    runtime: Runtime,
    random: Rng,
    names: usize,
    /// Those that are listed.
    images: Vec<Acknowledged>,
    answers: usize,
    /// Requests whose answer did not come, or was that the service cannot serve them now.
    unknown: usize,
    /// Copies that several servers answered in the same way.
    repeated: usize,
}

impl Traffic {
    pub(super) fn new(number: usize, instance: &str, base_urls: &[String]) -> Self {
        let client = |url: &String| {
            let mut config = Config::new("first", "first-secret".to_owned());
            config.base_url.clone_from(url);
            (config.timeout, config.max_retries) = (PATIENCE, 0);
            Client::new(config).unwrap()
        };
        Self {
            number,
            instance: instance.to_owned(),
            servers: base_urls.iter().map(client).collect(),
            runtime: runtime(),
            random: Rng::with_seed(number as u64),
            names: 0,
            images: Vec::new(),
            answers: 0,
            unknown: 0,
            repeated: 0,
        }
    }

    /// Sends requests until `stop`.
    pub(super) fn work(&mut self, stop: &AtomicBool) {
        while !stop.load(Ordering::SeqCst) {
            let server = self.random.usize(..self.servers.len());
            let is_full = self.images.len() >= IMAGES_MAX;
            match self.random.u8(..6) {
                0 | 1 if !is_full => self.create(server),
                2 if !is_full => self.copy(server),
                0..4 if is_full => self.delete(server),
                _ => self.list(server),
            }
            thread::sleep(PAUSE);
        }
    }

    /// `Some(None)` is a refusal, `None` no answer.
    #[expect(clippy::option_option, reason = "two kinds of nothing")]
    fn call<T: Debug>(
        &mut self,
        server: usize,
        call: impl AsyncFnOnce(&Client) -> Result<T, Error>,
    ) -> Option<Option<T>> {
        match self.runtime.block_on(call(&self.servers[server])) {
            Ok(answer) => {
                self.answers += 1;
                Some(Some(answer))
            }
            Err(error) => match error.class() {
                Class::FixCredentials => panic!("{error}"),
                Class::FixRequest | Class::LookAgain => Some(None),
                Class::AskAgainLater | Class::ServiceFault => {
                    self.unknown += 1;
                    None
                }
            },
        }
    }

    fn name(&mut self) -> String {
        self.names += 1;
        format!("traffic-{}-{}", self.number, self.names)
    }

    fn create(&mut self, server: usize) {
        let (name, instance) = (self.name(), self.instance.clone());
        let request = CreateCompShareCustomImageRequest {
            instance_id: instance.as_str().into(),
            name: name.as_str().into(),
            ..CreateCompShareCustomImageRequest::default()
        };
        let answer = self.call(server, async |api| api.create_comp_share_custom_image(&request).await);
        if let Some(Some(made)) = answer {
            self.images.push(Acknowledged { id: made.comp_share_image_id, name, instance, is_made: false });
        }
    }

    /// Copies an image, and repeats the request on another server: it answers the same.
    fn copy(&mut self, server: usize) {
        let Some(from) = self.images.iter().find(|image| image.is_made).cloned() else { return };
        let name = self.name();
        let request = CopyCompShareCustomImageRequest {
            image_id: from.id.as_str().into(),
            target_name: Some(name.as_str().into()),
            ..CopyCompShareCustomImageRequest::default()
        };
        let servers = self.servers.len();
        let mut ask = |step: usize| {
            self.call((server + step) % servers, async |api| api.copy_comp_share_custom_image(&request).await)
                .map(|answer| answer.expect("a copy is not refused").new_comp_share_image_id)
        };
        let mut ids: Vec<String> = (0..servers).filter_map(&mut ask).collect();
        assert!(ids.windows(2).all(|pair| pair[0] == pair[1]), "{name} was copied twice: {ids:?}");
        self.repeated += usize::from(ids.len() > 1);
        if let Some(id) = ids.pop() {
            self.images.push(Acknowledged { id, name, is_made: true, ..from });
        }
    }

    fn delete(&mut self, server: usize) {
        let index = self.random.usize(..self.images.len());
        // Without an answer it may be listed or not.
        let image = self.images.swap_remove(index);
        let request = TerminateCompShareCustomImageRequest {
            image_id: image.id.as_str().into(),
            ..TerminateCompShareCustomImageRequest::default()
        };
        let answer = self.call(server, async |api| api.terminate_comp_share_custom_image(&request).await);
        assert!(!matches!(answer, Some(None)), "{image:?} cannot be deleted");
    }

    /// Whichever server answers, it lists what any of them has acknowledged.
    fn list(&mut self, server: usize) {
        let mut request = DescribeCompShareCustomImagesRequest::default();
        request.paging.limit = Some(100.into());
        let answer = self.call(server, async |api| api.describe_comp_share_custom_images(&request).await);
        let Some(Some(list)) = answer else { return };
        for image in &mut self.images {
            let row = list.image_set.iter().find(|row| row.comp_share_image_id == image.id);
            let row = row.unwrap_or_else(|| panic!("{image:?} was acknowledged and is missing"));
            assert_eq!(row.name, image.name);
            image.is_made |= row.status == ImageStatus::Available;
        }
    }
}

/// The bytes of an instance. Half of the disks of `uhost-a` and `uhost-b` is the same.
pub(super) fn bytes_of(instance: &str) -> Vec<u8> {
    let mut bytes = disk::bytes(8, 1);
    let half = bytes.len() / 2;
    match instance {
        "uhost-a" => {}
        "uhost-b" => bytes[half..].copy_from_slice(&disk::bytes(8, 2)[half..]),
        _ => bytes = disk::bytes(9, 3),
    }
    bytes
}

/// Lets clients work while something happens.
pub(super) fn work_during(clients: &mut [Traffic], happen: impl FnOnce()) {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        for client in clients {
            scope.spawn(|| client.work(&stop));
        }
        // The clients end also if it panics.
        let result = catch_unwind(AssertUnwindSafe(happen));
        stop.store(true, Ordering::SeqCst);
        result.unwrap_or_else(|panic| resume_unwind(panic));
    });
}

/// Asserts that the images of all clients, and those with more ids, are listed and have their bytes.
pub(super) fn assert_kept(host: &Host, clients: &[Traffic], python: &[String]) {
    let images: Vec<&Acknowledged> = clients.iter().flat_map(|client| &client.images).collect();
    let list = host.json(&["image", "list", "--all"]);
    let listed = ids(&list["ImageSet"]);
    for id in images.iter().map(|image| &image.id).chain(python) {
        assert!(listed.contains(id), "{id} was acknowledged and is missing");
    }
    for image in images {
        host.until_made(&image.name);
        assert!(host.bytes(&image.id) == bytes_of(&image.instance), "{image:?}");
    }
}

/// Asserts that the clients got answers, and prints what they did.
pub(super) fn assert_used(clients: &[Traffic]) {
    let sum = |of: fn(&Traffic) -> usize| clients.iter().map(of).sum::<usize>();
    let (answers, repeated) = (sum(|client| client.answers), sum(|client| client.repeated));
    let (unknown, images) = (sum(|client| client.unknown), sum(|client| client.images.len()));
    println!(
        "{answers} answers, {unknown} without one, {repeated} copies repeated, {images} images at the end"
    );
    assert!(answers > 0 && repeated > 0);
}
