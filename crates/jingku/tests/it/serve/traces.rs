//! Traces for an OpenTelemetry collector.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use prost::Message;

use crate::disk;
use crate::home::{Home, until};
use crate::server::Server;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";
/// Batches are sent ten times per second.
const SOON: (&str, &str) = ("OTEL_BSP_SCHEDULE_DELAY", "100");

/// A collector that keeps what it gets.
struct Collector {
    url: String,
    spans: Arc<Mutex<Vec<Span>>>,
}

impl Collector {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let spans = Arc::<Mutex<Vec<Span>>>::default();
        let kept = Arc::clone(&spans);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let received = receive(&mut stream.unwrap());
                kept.lock().unwrap().extend(received);
            }
        });
        Self { url, spans }
    }

    /// Waits for a span with this attribute.
    fn span(&self, name: &str, key: &str, value: &str) -> Span {
        let mut found = None;
        until(&format!("a span {name} with {key} {value}"), || {
            let spans = self.spans.lock().unwrap();
            let matches = |span: &&Span| span.name == name && attribute(span, key).as_deref() == Some(value);
            found = spans.iter().find(matches).cloned();
            found.is_some()
        });
        found.unwrap()
    }
}

/// Reads a batch and confirms it.
fn receive(stream: &mut TcpStream) -> Vec<Span> {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut head, mut length) = (String::new(), 0);
    while !head.ends_with("\r\n\r\n") {
        let begin = head.len();
        assert!(reader.read_line(&mut head).unwrap() > 0, "{head}");
        if let Some((name, value)) = head[begin..].split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap();
        }
    }
    assert!(head.starts_with("POST /v1/traces HTTP/1.1\r\n"), "{head}");
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
    let batch = ExportTraceServiceRequest::decode(&*body).unwrap();
    let resources = batch.resource_spans.into_iter();
    resources.flat_map(|resource| resource.scope_spans).flat_map(|scope| scope.spans).collect()
}

fn attribute(span: &Span, key: &str) -> Option<String> {
    let found = span.attributes.iter().find(|attribute| attribute.key == key)?;
    match found.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text.clone()),
        Value::IntValue(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Requests an action without a signature, as a part of a trace.
fn request(server: &Server, action: &str) {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    let traceparent = format!("traceparent: 00-{TRACE}-{PARENT}-01");
    let head =
        format!("GET /?Action={action} HTTP/1.1\r\nHost: x\r\n{traceparent}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    assert!(response.contains("\"RetCode\":170"), "{response}");
}

#[test]
fn a_collector_gets_requests_and_jobs() {
    let (home, collector) = (Home::new(), Collector::start());
    let telemetry = format!("[telemetry]\notlp = '{}/'\n", collector.url);
    let config = home.file("config.toml", telemetry.as_bytes());
    let server = home.serve_with(&["--config", &config], &[SOON]);
    // A stranger cannot choose the trace.
    request(&server, "GetRegion");
    let span = collector.span("request", "action", "GetRegion");
    assert_eq!(attribute(&span, "ret_code").as_deref(), Some("170"), "{span:?}");
    assert!(attribute(&span, "request_id").is_some_and(|id| id.len() == 36), "{span:?}");
    assert_eq!(span.kind, SpanKind::Server as i32);
    assert!(span.parent_span_id.is_empty() && hex::encode(&span.trace_id) != TRACE, "{span:?}");
    assert!(span.end_time_unix_nano >= span.start_time_unix_nano);
    home.add_instance("uhost-1", &disk::bytes(1, 0));
    let image_id = home.make("uhost-1", "env");
    let job = collector.span("job", "image_id", &image_id);
    assert!(job.events.iter().any(|event| event.name == "image made"), "{job:?}");
    let [_, private_key] = home.key_pair();
    assert!(!format!("{:?}", collector.spans.lock().unwrap()).contains(&private_key));
    server.stop();

    // The environment names another collector, and a proxy the trace.
    let other = Collector::start();
    let proxies =
        home.file("proxies.toml", format!("{telemetry}[proxies]\ntrusted = ['127.0.0.1']\n").as_bytes());
    let variables = [SOON, ("OTEL_EXPORTER_OTLP_ENDPOINT", other.url.as_str())];
    let server = home.serve_with(&["--config", &proxies], &variables);
    request(&server, "GetProjectList");
    let span = other.span("request", "action", "GetProjectList");
    assert_eq!(
        (hex::encode(&span.trace_id), hex::encode(&span.parent_span_id)),
        (TRACE.to_owned(), PARENT.to_owned())
    );
    server.stop();
}

#[test]
fn a_collector_that_does_not_answer_delays_nothing() {
    let home = Home::new();
    // It accepts connections, and never reads.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    for url in [format!("http://{}", silent.local_addr().unwrap()), "http://127.0.0.1:1".to_owned()] {
        let config = home.file("config.toml", format!("[telemetry]\notlp = '{url}'\n").as_bytes());
        let variables = [SOON, ("OTEL_BSP_MAX_QUEUE_SIZE", "20"), ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "10")];
        let server = home.serve_with(&["--config", &config], &variables);
        let started = Instant::now();
        for _ in 0..100 {
            request(&server, "GetRegion");
        }
        if url.ends_with(":1") {
            until("the log says it", || server.log().contains("cannot send traces"));
            assert_eq!(server.log().matches("cannot send traces").count(), 1, "{}", server.log());
        }
        server.stop();
        assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    }
}

#[test]
fn an_address_that_is_no_url_is_refused() {
    let home = Home::new();
    let config = home.file("config.toml", b"[telemetry]\notlp = 'not a URL'\n");
    home.refuses(&["serve", "--config", &config], 2, &["Cannot send traces"], &["无法发送调用链数据"]);
}
