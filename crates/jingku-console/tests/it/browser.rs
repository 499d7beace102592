//! A browser without JavaScript, and the server that it opens.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Request, StatusCode, header};
use axum::response::Response;
use http_body_util::BodyExt;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use jingku_library::{
    BackUp, BackupError, Config, DataDir, DatabaseUrl, Environment, FixedClock, Fixtures, Library,
    RestoreBackup, restore_backup,
};
use jingku_server::Context;
use tempfile::TempDir;

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
name = "<script>alert('instance')</script>"
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

/// More texts of tenants.
pub(crate) const MORE_TEXTS: &str = r#"
[[images]]
name = "failed"
id = "compshareImage-failed"
status = "UnAvailable"
reason = "<script>alert('reason')</script>"

[[images]]
name = "published"
id = "compshareImage-published"
published = { group = "group", version_description = "<script>alert('version')</script>" }

[[images]]
name = "review"
id = "compshareImage-review"
status = "Reviewing"
description = "\"><script>alert('description')</script>"
readme = "<script>alert('readme')</script>\n\n[x](javascript:alert(1)) **bold**"
tags = ["<b>tag</b>"]
published = { group = "<script>group", version_description = "<script>alert('version')</script>" }
"#;

pub(crate) struct Server {
    pub(crate) context: Arc<Context>,
    pub(crate) clock: Arc<FixedClock>,
    router: TowerToHyperService<Router>,
}

/// A data directory or a database that servers open one after another, or together.
pub(crate) struct Place {
    folder: TempDir,
    database: Option<String>,
    clock: Arc<FixedClock>,
}

fn read_fixtures(folder: &TempDir, more: &str) -> Fixtures {
    let file = folder.path().join("fixtures.toml");
    std::fs::write(&file, format!("{FIXTURES}{more}")).unwrap();
    Fixtures::read(&file).unwrap()
}

fn clock() -> Arc<FixedClock> {
    Arc::new(FixedClock::at(1_712_563_200))
}

impl Place {
    /// A new place with the two accounts. `database` is the URL of an empty database for the catalogue.
    pub(crate) async fn new(database: Option<String>) -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap(), database, clock: clock() };
        place.open().await.context.library.load(&read_fixtures(&place.folder, ""), None).await.unwrap();
        place
    }

    /// Starts another server.
    pub(crate) async fn open(&self) -> Server {
        let library = Library::open(&self.data(), &Config::default(), &self.environment()).await.unwrap();
        Server::over(library, Arc::clone(&self.clock), "http://127.0.0.1:8480")
    }

    /// Backs up a data directory and restores it to another place.
    pub(crate) async fn restore_backup(&self) -> Self {
        let folder = self.folder.path().join("backup");
        let how = BackUp { folder: &folder, verify: false, with_master_key: true, keep: 1, force: false };
        let server = self.open().await;
        server.context.library.back_up(&self.data(), how).await.unwrap();
        let to = tempfile::tempdir().unwrap();
        let how = RestoreBackup {
            folder: &folder,
            generation: None,
            data: &to.path().join("data"),
            skip_damaged: false,
            config: &Config::default(),
            environment: &self.environment(),
        };
        // A process that another test is starting may have the lock for a moment.
        while let Err(error) = restore_backup(how).await {
            assert!(matches!(error, BackupError::InUse(_)), "{error}");
            tokio::task::yield_now().await;
        }
        Self { folder: to, database: None, clock: Arc::clone(&self.clock) }
    }

    fn environment(&self) -> Environment {
        let database = self.database.as_ref().map(DatabaseUrl::new);
        Environment { clock: self.clock.clone(), database, ..Environment::default() }
    }

    fn data(&self) -> DataDir {
        DataDir::open_or_create(&self.folder.path().join("data")).unwrap()
    }
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::start_with("http://127.0.0.1:8480", "").await
    }

    /// A server that browsers reach at this address, with more fixtures.
    pub(crate) async fn start_with(base_url: &str, more: &str) -> Self {
        let clock = clock();
        let environment = Environment { clock: clock.clone(), ..Environment::default() };
        let library = Library::open_in_memory(&Config::default(), &environment).await.unwrap();
        library.load(&read_fixtures(&tempfile::tempdir().unwrap(), more), None).await.unwrap();
        Self::over(library, clock, base_url)
    }

    fn over(library: Library, clock: Arc<FixedClock>, base_url: &str) -> Self {
        let context = Arc::new(Context::new(library));
        context.set_base_url(base_url);
        let router = TowerToHyperService::new(jingku_console::router(Arc::clone(&context)));
        Self { context, clock, router }
    }

    pub(crate) fn browser(&self) -> Browser {
        self.browser_from([127, 0, 0, 1])
    }

    /// A browser at another address.
    pub(crate) fn browser_from(&self, address: [u8; 4]) -> Browser {
        Browser { router: self.router.clone(), cookies: Mutex::default(), address, home: "/console/images" }
    }

    /// The same browser, sent to this server.
    pub(crate) fn continue_from(&self, browser: &Browser) -> Browser {
        let cookies = Mutex::new(browser.cookies.lock().unwrap().clone());
        Browser { cookies, home: browser.home, ..self.browser_from(browser.address) }
    }

    /// A browser that is signed in with the key pair of an account.
    pub(crate) async fn signed_in(&self, account: u8) -> Browser {
        let browser = self.browser();
        let answer = browser.sign_in(&format!("public-{account}"), &format!("private-{account}")).await;
        assert_eq!(answer.location(), "/console/images", "{}", answer.text);
        browser
    }

    /// A browser in which the operator is signed in.
    pub(crate) async fn operator(&self) -> Browser {
        let (secret, _) = self.context.library.create_operator_link().await.unwrap();
        let browser = Browser { home: "/console/operator/health", ..self.browser() };
        assert_eq!(browser.follow(&secret).await.location(), browser.home);
        browser
    }
}

pub(crate) struct Browser {
    router: TowerToHyperService<Router>,
    pub(crate) cookies: Mutex<BTreeMap<String, String>>,
    address: [u8; 4],
    /// The start page, which has forms.
    home: &'static str,
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
        self.post_from("", path, fields).await
    }

    /// Sends a form from a page of another site, in words of `Sec-Fetch-Site`; empty if the browser does not say so.
    pub(crate) async fn post_from(&self, site: &'static str, path: &str, fields: &[(&str, &str)]) -> Answer {
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(fields);
        let mut request =
            Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        if !site.is_empty() {
            request = request.header("sec-fetch-site", site);
        }
        self.send(request.body(body.finish().into()).unwrap()).await
    }

    /// Sends a form with the token of the session.
    pub(crate) async fn submit(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.get(self.home).await.form_token();
        let fields: Vec<_> = fields.iter().copied().chain([("form_token", token.as_str())]).collect();
        self.post(path, &fields).await
    }

    /// Sends a form with a file and the token of the session, as browsers encode it.
    pub(crate) async fn submit_file(
        &self,
        path: &str,
        fields: &[(&str, &str)],
        name: &str,
        file: &[u8],
    ) -> Answer {
        let token = self.get("/console/images").await.form_token();
        let mut body = Vec::new();
        for (name, value) in fields.iter().chain([&("form_token", token.as_str())]) {
            let head =
                format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
            body.extend_from_slice(head.as_bytes());
        }
        let head = format!(
            "--edge\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"a<b>.png\"\r\n\
             Content-Type: image/png\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(file);
        body.extend_from_slice(b"\r\n--edge--\r\n");
        let request = Request::post(path).header(header::CONTENT_TYPE, "multipart/form-data; boundary=edge");
        self.send(request.body(body.into()).unwrap()).await
    }

    /// Opens a link and sends its form.
    pub(crate) async fn follow(&self, secret: &str) -> Answer {
        let token = self.get(&format!("/console/sign-in?link={secret}")).await.form_token();
        self.post("/console/sign-in", &[("form_token", &token), ("link", secret)]).await
    }

    pub(crate) async fn sign_in(&self, public_key: &str, private_key: &str) -> Answer {
        let token = self.get("/console/sign-in").await.form_token();
        let fields = [("form_token", &*token), ("public_key", public_key), ("private_key", private_key)];
        self.post("/console/sign-in", &fields).await
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let (parts, body) = self.answer(request).await.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8(body.to_vec()).unwrap();
        Answer { status: parts.status, headers: parts.headers, text }
    }

    pub(crate) async fn answer(&self, mut request: Request<Body>) -> Response {
        let cookies =
            self.cookies.lock().unwrap().iter().map(|(n, v)| format!("{n}={v}")).collect::<Vec<_>>();
        if !cookies.is_empty() {
            request.headers_mut().insert(header::COOKIE, cookies.join("; ").parse().unwrap());
        }
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from((self.address, 1))));
        let Ok(response) = self.router.call(request).await;
        for cookie in response.headers().get_all(header::SET_COOKIE) {
            let (pair, attributes) = cookie.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            let mut cookies = self.cookies.lock().unwrap();
            if attributes.contains("Max-Age=0") {
                cookies.remove(name);
            } else {
                cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        response
    }
}
