//! An S3 server in the test process, over a folder or another server, which injects faults on request.

mod uploads;
mod upstream;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

use self::uploads::Uploads;
use self::upstream::{ACCESS_KEY, SECRET_KEY, Upstream};
use crate::bucket::{BucketSettings, BucketUrl};

/// How often a held request looks whether it still is.
const HELD_PAUSE: Duration = Duration::from_millis(50);

/// What a faulty request gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum S3Fault {
    /// An error with this status and code, and no effect.
    Refused(u16, &'static str),
    /// An internal error (500), after the request took effect.
    Internal,
    /// The answer after this time.
    Slow(Duration),
    /// Half of the answer's body, then the end of the connection.
    Cut,
    /// A body with one wrong byte.
    WrongByte,
}

impl S3Fault {
    /// The service is overloaded.
    pub const SLOW_DOWN: Self = Self::Refused(503, "SlowDown");
    /// The clock of the client is wrong.
    pub const SKEWED: Self = Self::Refused(403, "RequestTimeTooSkewed");
    /// The bucket does not exist. `s3s-fs` says that the object does not.
    pub const NO_BUCKET: Self = Self::Refused(404, "NoSuchBucket");
}

type Answer = Response<UnsyncBoxBody<Bytes, Box<dyn std::error::Error + Send + Sync>>>;

/// What answers.
#[derive(Clone)]
enum Service {
    Files(S3Service),
    Other(Upstream),
}

#[derive(Default)]
struct Plan {
    requests: BTreeMap<String, u64>,
    answers: BTreeMap<String, u64>,
    /// The time until a request is handled.
    latency: Duration,
    faults: Vec<(Method, S3Fault, u64)>,
    uploads: Uploads,
    /// Requests that wait: those that put an object whose path contains this.
    held: Option<String>,
    has_held: bool,
}

/// A server of the crate `s3s-fs`, or a proxy of the server that the variable `JINGKU_TEST_S3` names. Stops when dropped.
pub struct S3Server {
    /// What is appended to the names of buckets.
    suffix: String,
    address: SocketAddr,
    plan: Arc<Mutex<Plan>>,
    runtime: Option<Runtime>,
}

impl S3Server {
    /// Starts a server whose buckets are the folders in `root`, on any free port of the loopback address.
    pub fn start(root: &Path, buckets: &[&str]) -> io::Result<Self> {
        Self::start_at(root, buckets, 0)
    }

    /// Starts a server on a port.
    pub fn start_at(root: &Path, buckets: &[&str], port: u16) -> io::Result<Self> {
        Self::start_on(root, buckets, (Ipv4Addr::LOCALHOST, port).into())
    }

    /// Starts a server on an address.
    pub fn start_on(root: &Path, buckets: &[&str], address: SocketAddr) -> io::Result<Self> {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let (service, suffix) = match Upstream::from_env()? {
            Some(other) => {
                let suffix = Upstream::suffix();
                for bucket in buckets {
                    runtime.block_on(other.create_bucket(&format!("{bucket}{suffix}")))?;
                }
                (Service::Other(other), suffix)
            }
            None => (Service::Files(files(root, buckets)?), String::new()),
        };
        let plan = Arc::<Mutex<Plan>>::default();
        let listener = runtime.block_on(TcpListener::bind(address))?;
        let address = listener.local_addr()?;
        runtime.spawn(serve(listener, service, Arc::clone(&plan)));
        Ok(Self { suffix, address, plan, runtime: Some(runtime) })
    }

    /// Returns the base URL.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Returns the key pair that the server accepts.
    pub fn key_pair() -> (String, String) {
        (ACCESS_KEY.to_owned(), SECRET_KEY.to_owned())
    }

    /// Returns the settings of a store in a bucket.
    pub fn settings(&self, url: &str) -> BucketSettings {
        let mut url = BucketUrl::parse(url).unwrap_or_default();
        url.bucket.push_str(&self.suffix);
        BucketSettings {
            url,
            endpoint: Some(self.endpoint()),
            region: Some("us-east-1".to_owned()),
            path_style: true,
            allow_http: true,
            key_pair: Some(Self::key_pair()),
            scratch: None,
        }
    }

    /// Handles every request only after this time, as a service that is far away.
    pub fn set_latency(&self, latency: Duration) {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner).latency = latency;
    }

    /// Makes the next `count` requests of a method fail.
    pub fn inject(&self, method: Method, fault: S3Fault, count: u64) {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner).faults.push((method, fault, count));
    }

    /// Holds requests that put objects whose path contains `part`, until it is `None`.
    pub fn hold(&self, part: Option<&str>) {
        let mut plan = self.plan.lock().unwrap_or_else(PoisonError::into_inner);
        (plan.held, plan.has_held) = (part.map(str::to_owned), false);
    }

    /// Whether a request was held since the last call of [`hold`](Self::hold).
    pub fn has_held(&self) -> bool {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner).has_held
    }

    /// Returns how many requests of a method were received.
    pub fn requests(&self, method: &Method) -> u64 {
        let plan = self.plan.lock().unwrap_or_else(PoisonError::into_inner);
        plan.requests.get(method.as_str()).copied().unwrap_or(0)
    }

    /// Returns how many requests of a method were answered, well or with an error.
    pub fn answers(&self, method: &Method) -> u64 {
        let plan = self.plan.lock().unwrap_or_else(PoisonError::into_inner);
        plan.answers.get(method.as_str()).copied().unwrap_or(0)
    }
}

impl Drop for S3Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn files(root: &Path, buckets: &[&str]) -> io::Result<S3Service> {
    for bucket in buckets {
        fs::create_dir_all(root.join(bucket))?;
    }
    let files = s3s_fs::FileSystem::new(root).map_err(|error| io::Error::other(format!("{error:?}")))?;
    let mut builder = S3ServiceBuilder::new(files);
    builder.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
    Ok(builder.build())
}

async fn serve(listener: TcpListener, service: Service, plan: Arc<Mutex<Plan>>) {
    while let Ok((socket, _)) = listener.accept().await {
        // Without this, small answers wait for the client's acknowledgement.
        let _ = socket.set_nodelay(true);
        let (service, plan) = (service.clone(), Arc::clone(&plan));
        let answer = service_fn(move |request| {
            let (service, plan) = (service.clone(), Arc::clone(&plan));
            async move {
                let method = request.method().to_string();
                let answer = answer(service, Arc::clone(&plan), request).await;
                *plan.lock().unwrap_or_else(PoisonError::into_inner).answers.entry(method).or_default() += 1;
                answer
            }
        });
        tokio::spawn(
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(socket), answer),
        );
    }
}

async fn answer(
    service: Service,
    plan: Arc<Mutex<Plan>>,
    request: Request<Incoming>,
) -> Result<Answer, Infallible> {
    let fault = next_fault(&plan, request.method());
    let latency = plan.lock().unwrap_or_else(PoisonError::into_inner).latency;
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    match fault {
        Some(S3Fault::Refused(status, code)) => {
            // A client that still sends would find a closed connection instead of the answer, and try again.
            let _ = request.collect().await;
            return Ok(error(status, code));
        }
        Some(S3Fault::Slow(pause)) => tokio::time::sleep(pause).await,
        _ => {}
    }
    while is_held(&plan, &request) {
        tokio::time::sleep(HELD_PAUSE).await;
    }
    let Some(answer) = pass(&service, &plan, request).await else {
        return Ok(error(500, "InternalError"));
    };
    Ok(match fault {
        Some(S3Fault::Internal) => error(500, "InternalError"),
        Some(S3Fault::Cut) => {
            changed(answer, |body| {
                let half = body.slice(..body.len() / 2);
                let end = Err(io::Error::from(io::ErrorKind::ConnectionReset).into());
                StreamBody::new(futures::stream::iter([Ok(Frame::data(half)), end])).boxed_unsync()
            })
            .await
        }
        Some(S3Fault::WrongByte) => {
            changed(answer, |body| {
                let mut body = body.to_vec();
                if let Some(last) = body.last_mut() {
                    *last ^= 1;
                }
                whole(body)
            })
            .await
        }
        _ => answer.map(|body| body.map_err(Into::into).boxed_unsync()),
    })
}

/// Passes a request to the service.
async fn pass(
    service: &Service,
    plan: &Mutex<Plan>,
    request: Request<Incoming>,
) -> Option<Response<s3s::Body>> {
    let service = match service {
        Service::Other(other) => return other.forward(request).await,
        Service::Files(files) => files,
    };
    let lock = || plan.lock().unwrap_or_else(PoisonError::into_inner);
    let (method, uri) = (request.method().clone(), request.uri().clone());
    if let Some(list) = lock().uploads.list(&method, &uri) {
        return Some(Response::new(s3s::Body::from(list)));
    }
    let answer = service.call(request.map(s3s::Body::from)).await.ok()?;
    if !answer.status().is_success()
        || method == Method::GET
        || !uri.query().is_some_and(|q| q.contains("upload"))
    {
        return Some(answer);
    }
    let (parts, body) = answer.into_parts();
    let body = body.collect().await.ok()?.to_bytes();
    lock().uploads.note(&method, &uri, &body);
    Some(Response::from_parts(parts, s3s::Body::from(body)))
}

fn is_held(plan: &Mutex<Plan>, request: &Request<Incoming>) -> bool {
    let mut plan = plan.lock().unwrap_or_else(PoisonError::into_inner);
    let is_held = request.method() == Method::PUT
        && plan.held.as_ref().is_some_and(|part| request.uri().path().contains(part));
    plan.has_held |= is_held;
    is_held
}

fn next_fault(plan: &Mutex<Plan>, method: &Method) -> Option<S3Fault> {
    let mut plan = plan.lock().unwrap_or_else(PoisonError::into_inner);
    *plan.requests.entry(method.to_string()).or_default() += 1;
    let (_, fault, left) = plan.faults.iter_mut().find(|(of, _, left)| of == method && *left > 0)?;
    *left -= 1;
    Some(*fault)
}

async fn changed(
    answer: Response<s3s::Body>,
    change: impl FnOnce(Bytes) -> UnsyncBoxBody<Bytes, Box<dyn std::error::Error + Send + Sync>>,
) -> Answer {
    let (parts, body) = answer.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    Response::from_parts(parts, change(body))
}

fn whole(body: impl Into<Bytes>) -> UnsyncBoxBody<Bytes, Box<dyn std::error::Error + Send + Sync>> {
    Full::new(body.into()).map_err(|never| match never {}).boxed_unsync()
}

fn error(status: u16, code: &str) -> Answer {
    let body =
        format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>injected</Message></Error>");
    let mut answer = Response::new(whole(body));
    *answer.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
    answer
}
