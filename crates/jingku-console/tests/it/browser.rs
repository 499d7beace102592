//! A browser without JavaScript, and the server that it opens.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Request, StatusCode, header};
use http_body_util::BodyExt;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use jingku_library::{Config, Environment, FixedClock, Fixtures, Library};
use jingku_server::Context;

/// Two accounts. Every text that a tenant can write tries to run something.
const FIXTURES: &str = r#"
[[accounts]]
name = "<script>alert('account')</script>"
keys = [{ public_key = "public-1", private_key = "private-1" }]

[[accounts]]
name = "other"
keys = [{ public_key = "public-2", private_key = "private-2" }]

[[instances]]
id = "uhost-1"
size_mb = 1

[[images]]
name = "mine"
id = "compshareImage-mine"
description = "\"><script>alert('description')</script>"
readme = "<script>alert('readme')</script>\n\n[x](javascript:alert(1)) **bold**"
tags = ["<b>tag</b>"]

[[images]]
name = "theirs"
id = "compshareImage-theirs"
account = "other"
"#;

pub(crate) struct Server {
    pub(crate) context: Arc<Context>,
    pub(crate) clock: Arc<FixedClock>,
    router: TowerToHyperService<Router>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("fixtures.toml");
        std::fs::write(&file, FIXTURES).unwrap();
        let clock = Arc::new(FixedClock::at(1_712_563_200));
        let environment = Environment { clock: clock.clone(), ..Environment::default() };
        let library = Library::open_in_memory(&Config::default(), &environment).await.unwrap();
        library.load(&Fixtures::read(&file).unwrap(), None).await.unwrap();
        let context = Arc::new(Context::new(library));
        context.set_base_url("http://127.0.0.1:8480");
        let router = TowerToHyperService::new(jingku_console::router(Arc::clone(&context)));
        Self { context, clock, router }
    }

    pub(crate) fn browser(&self) -> Browser {
        Browser { router: self.router.clone(), cookies: Mutex::default() }
    }

    /// A browser that is signed in with the key pair of an account.
    pub(crate) async fn signed_in(&self, account: u8) -> Browser {
        let browser = self.browser();
        let answer = browser.sign_in(&format!("public-{account}"), &format!("private-{account}")).await;
        assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, "/console/images"));
        browser
    }
}

pub(crate) struct Browser {
    router: TowerToHyperService<Router>,
    pub(crate) cookies: Mutex<BTreeMap<String, String>>,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn location(&self) -> &str {
        self.headers.get(header::LOCATION).map_or("", |value| value.to_str().unwrap())
    }

    /// The token in the forms of the page.
    pub(crate) fn form_token(&self) -> String {
        let (_, rest) = self.text.split_once("name=\"form_token\" value=\"").expect("the page has a form");
        rest.split('"').next().unwrap().to_owned()
    }
}

impl Browser {
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    /// Sends a form as it is.
    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(fields);
        let request = Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request.body(body.finish().into()).unwrap()).await
    }

    /// Sends a form with the token of the session.
    pub(crate) async fn submit(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.get("/console/images").await.form_token();
        let fields: Vec<_> = fields.iter().copied().chain([("form_token", token.as_str())]).collect();
        self.post(path, &fields).await
    }

    pub(crate) async fn sign_in(&self, public_key: &str, private_key: &str) -> Answer {
        let token = self.get("/console/sign-in").await.form_token();
        let fields = [("form_token", &*token), ("public_key", public_key), ("private_key", private_key)];
        self.post("/console/sign-in", &fields).await
    }

    pub(crate) async fn send(&self, mut request: Request<Body>) -> Answer {
        let cookies =
            self.cookies.lock().unwrap().iter().map(|(n, v)| format!("{n}={v}")).collect::<Vec<_>>();
        if !cookies.is_empty() {
            request.headers_mut().insert(header::COOKIE, cookies.join("; ").parse().unwrap());
        }
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 1))));
        let Ok(response) = self.router.call(request).await;
        let (parts, body) = response.into_parts();
        for cookie in parts.headers.get_all(header::SET_COOKIE) {
            let (pair, attributes) = cookie.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            let mut cookies = self.cookies.lock().unwrap();
            if attributes.contains("Max-Age=0") {
                cookies.remove(name);
            } else {
                cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let body = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8(body.to_vec()).unwrap();
        Answer { status: parts.status, headers: parts.headers, text }
    }
}
