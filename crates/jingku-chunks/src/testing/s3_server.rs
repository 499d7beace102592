//! An S3 server in the test process, over a folder, which injects faults on request.

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

use crate::bucket::{BucketSettings, BucketUrl};

const ACCESS_KEY: &str = "jingku";
const SECRET_KEY: &str = "jingku-secret";

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

#[derive(Default)]
struct Plan {
    requests: BTreeMap<String, u64>,
    answers: BTreeMap<String, u64>,
    faults: Vec<(Method, S3Fault, u64)>,
}

/// A server of the crate `s3s-fs`. Stops when dropped.
pub struct S3Server {
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
        for bucket in buckets {
            fs::create_dir_all(root.join(bucket))?;
        }
        let files = s3s_fs::FileSystem::new(root).map_err(|error| io::Error::other(format!("{error:?}")))?;
        let mut builder = S3ServiceBuilder::new(files);
        builder.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        let service = builder.build();
        let plan = Arc::<Mutex<Plan>>::default();
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, port)))?;
        let address = listener.local_addr()?;
        runtime.spawn(serve(listener, service, Arc::clone(&plan)));
        Ok(Self { address, plan, runtime: Some(runtime) })
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
        BucketSettings {
            url: BucketUrl::parse(url).unwrap_or_default(),
            endpoint: Some(self.endpoint()),
            region: Some("us-east-1".to_owned()),
            path_style: true,
            allow_http: true,
            key_pair: Some(Self::key_pair()),
            scratch: None,
        }
    }

    /// Makes the next `count` requests of a method fail.
    pub fn inject(&self, method: Method, fault: S3Fault, count: u64) {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner).faults.push((method, fault, count));
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

async fn serve(listener: TcpListener, service: S3Service, plan: Arc<Mutex<Plan>>) {
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
    service: S3Service,
    plan: Arc<Mutex<Plan>>,
    request: Request<Incoming>,
) -> Result<Answer, Infallible> {
    let fault = next_fault(&plan, request.method());
    match fault {
        Some(S3Fault::Refused(status, code)) => return Ok(error(status, code)),
        Some(S3Fault::Slow(pause)) => tokio::time::sleep(pause).await,
        _ => {}
    }
    let Ok(answer) = service.call(request.map(s3s::Body::from)).await else {
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
