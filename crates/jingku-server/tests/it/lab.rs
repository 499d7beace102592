//! A server with a lab: its control API, and the effects that clients see.

mod control;
mod faults;
mod making;
mod secrets;
mod state;
mod tenants;
mod trace;

use std::path::Path;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::response::Response;
use http_body_util::BodyExt;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use jingku_library::{Config, Environment, FixedClock, Fixtures, SeededRandom, Workers, lock};
use jingku_protocol::actions::Action;
use jingku_server::{Context, router, serve};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::{Caller, NOW, wait_until};

const FIXTURES: &str = r#"
[[instances]]
id = "uhost-good"
size_mb = 100

[[instances]]
id = "uhost-other"
size_mb = 64

[[instances]]
id = "uhost-bad"
size_mb = 100
fails = "The disk is full of sand."
fails_at_percent = 60

[[images]]
name = "made"

[[images]]
name = "standing"
status = "Making"
progress = 40
"#;

/// An in-memory server with a lab and [`FIXTURES`].
struct LabServer {
    context: Arc<Context>,
    caller: Caller,
}

impl LabServer {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("fixtures.toml");
        std::fs::write(&file, FIXTURES).unwrap();
        Self::with_fixtures(&file).await
    }

    async fn with_fixtures(file: &Path) -> Self {
        Self::with_callers(file).await.0
    }

    /// The same, with callers for the accounts after the first.
    async fn with_callers(file: &Path) -> (Self, Vec<Caller>) {
        let environment = Environment {
            clock: Arc::new(FixedClock::at(NOW)),
            random: Arc::new(SeededRandom::new(1)),
            ..Environment::default()
        };
        let context = Context::open_lab(&Config::default(), environment).await.unwrap();
        let accounts = context.library.load(&Fixtures::read(file).unwrap(), None).await.unwrap();
        context.remember_start().await.unwrap();
        let context = Arc::new(context);
        let mut callers =
            accounts.iter().map(|account| Caller::with_keys(router(context.clone()), &account.keys[0]));
        let caller = callers.next().unwrap();
        let others = callers.collect();
        (Self { context, caller }, others)
    }

    async fn workers(&self) -> Workers {
        Workers::start(self.context.library.clone()).await.unwrap()
    }

    /// Sends a control call unchanged.
    async fn open(&self, request: Request<Body>) -> (StatusCode, Value) {
        let Ok(response) = TowerToHyperService::new(router(self.context.clone())).call(request).await;
        read(response).await
    }

    async fn post(&self, call: &str, body: &Value) -> (StatusCode, Value) {
        let request =
            Request::post(format!("/_lab/{call}")).header("host", "127.0.0.1:1").header("x-jingku-lab", "1");
        self.open(request.body(Body::from(body.to_string())).unwrap()).await
    }

    /// A control call that must succeed.
    async fn lab(&self, call: &str, body: Value) -> Value {
        let (status, value) = self.post(call, &body).await;
        assert_eq!(status, StatusCode::OK, "{call} {body}: {value}");
        value
    }

    async fn get(&self, call: &str) -> Value {
        let request =
            Request::get(format!("/_lab/{call}")).header("host", "localhost").header("x-jingku-lab", "1");
        let (status, value) = self.open(request.body(Body::empty()).unwrap()).await;
        assert_eq!(status, StatusCode::OK, "{call}: {value}");
        value
    }

    /// The names and statuses in the list, newest first.
    async fn names(&self) -> Vec<(String, String)> {
        let page = self.caller.ok(Action::DescribeCompShareCustomImages, &[]).await;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let images = page["ImageSet"].as_array().unwrap().iter();
        images.map(|image| (text(&image["Name"]), text(&image["Status"]))).collect()
    }

    async fn progress(&self, id: &str) -> Value {
        self.caller.ok(Action::GetCompShareImageCreateProgress, &[("CompShareImageId", id)]).await
    }

    /// Waits until a worker of this server reads the disk of an image.
    async fn wait_until_read(&self, id: &str) {
        let running = &self.context.library.running;
        wait_until("the job starts", async || running.get(id).is_some_and(|job| lock(&job.bytes).total > 0))
            .await;
    }

    /// Waits until an image has this status and progress.
    async fn wait_for(&self, id: &str, status: &str, percent: f64) {
        let reached = async || {
            let progress = self.progress(id).await;
            progress["Status"] == status && progress["Progress"].as_f64() == Some(percent)
        };
        wait_until(&format!("the image is {status} at {percent} %"), reached).await;
    }

    /// Serves on a loopback port until the test ends.
    async fn listen(&self) -> std::net::SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(serve(listener, router(self.context.clone()), std::future::pending()));
        address
    }
}

async fn read(response: Response) -> (StatusCode, Value) {
    let (head, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    (head.status, serde_json::from_slice(&body).unwrap_or(json!(null)))
}
