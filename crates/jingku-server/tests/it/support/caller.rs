//! Signed calls, sent directly to the router.

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::response::Response;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use jingku_library::KeyPair;
use jingku_protocol::actions::Action;
use jingku_protocol::{Params, sign_request};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::{Reply, wait_until};

/// A client with a key pair.
#[derive(Clone)]
pub(crate) struct Caller {
    router: TowerToHyperService<Router>,
    pub(crate) public_key: String,
    private_key: SecretString,
}

impl Caller {
    pub(crate) fn new(router: Router, public_key: &str, private_key: &str) -> Self {
        Self {
            router: TowerToHyperService::new(router),
            public_key: public_key.to_owned(),
            private_key: private_key.into(),
        }
    }

    pub(crate) fn with_keys(router: Router, keys: &KeyPair) -> Self {
        Self::new(router, &keys.public_key, keys.private_key.expose_secret())
    }

    /// The same key pair at another server.
    pub(crate) fn at(&self, router: Router) -> Self {
        Self { router: TowerToHyperService::new(router), ..self.clone() }
    }

    /// Adds `PublicKey` and `Signature`.
    pub(crate) fn sign(&self, params: Params) -> Params {
        sign_request(params, &self.public_key, self.private_key.expose_secret())
    }

    /// The value of the header `Authorization` that has the key pair.
    pub(crate) fn basic(&self) -> String {
        let pair = format!("{}:{}", self.public_key, self.private_key.expose_secret());
        format!("Basic {}", BASE64_STANDARD.encode(pair))
    }

    /// Sends a request unchanged and returns the response with its body unread.
    pub(crate) async fn open(&self, request: Request<Body>) -> Response {
        let Ok(response) = self.router.call(request).await;
        response
    }

    /// Sends a request unchanged and reads the whole response.
    pub(crate) async fn send(&self, request: Request<Body>) -> Reply {
        Reply::read(self.open(request).await).await
    }

    /// Posts parameters as a form, without signing them.
    pub(crate) async fn post(&self, params: &Params) -> Reply {
        let request = Request::post("/").header("content-type", "application/x-www-form-urlencoded");
        self.send(request.body(Body::from(params.to_form())).unwrap()).await
    }

    /// Calls an action.
    pub(crate) async fn call(&self, action: Action, params: &[(&str, &str)]) -> Reply {
        let add = |all: Params, (name, value): &(&str, &str)| all.text(name, Some(value));
        let params = params.iter().fold(Params::for_action(action.name()), add);
        self.post(&self.sign(params)).await
    }

    /// Calls an action that must succeed. Returns the reply without the request id, which differs in every reply.
    pub(crate) async fn ok(&self, action: Action, params: &[(&str, &str)]) -> Value {
        let mut answer = self.call(action, params).await.json;
        assert_eq!(answer["RetCode"], 0, "{action:?} {params:?}: {answer}");
        assert_eq!(answer["Action"], format!("{}Response", action.name()));
        answer.as_object_mut().unwrap().remove("request_uuid");
        answer
    }

    /// Calls an action that must be refused; returns code and message.
    pub(crate) async fn refusal(&self, action: Action, params: &[(&str, &str)]) -> (i64, String) {
        self.call(action, params).await.refusal()
    }

    /// Starts making an image and returns its id.
    pub(crate) async fn create(&self, instance_id: &str, name: &str) -> String {
        let params = [("UHostId", instance_id), ("Name", name)];
        let reply = self.ok(Action::CreateCompShareCustomImage, &params).await;
        reply["CompShareImageId"].as_str().unwrap().to_owned()
    }

    /// Calls the list of own images.
    pub(crate) async fn images(&self, params: &[(&str, &str)]) -> Vec<Value> {
        let mut reply = self.ok(Action::DescribeCompShareCustomImages, params).await;
        serde_json::from_value(reply["ImageSet"].take()).unwrap()
    }

    /// Gets one image by id.
    pub(crate) async fn image(&self, id: &str) -> Value {
        let mut images = self.images(&[("CompShareImageId", id)]).await;
        assert_eq!(images.len(), 1, "{images:?}");
        images.remove(0)
    }

    pub(crate) async fn progress(&self, id: &str) -> Value {
        self.ok(Action::GetCompShareImageCreateProgress, &[("CompShareImageId", id)]).await
    }

    /// Waits until the job of an image has succeeded or failed.
    pub(crate) async fn wait_while_making(&self, id: &str) {
        wait_until("the job ends", async || self.progress(id).await["Status"] != "Making").await;
    }

    /// Waits until a worker has read part of the disk.
    pub(crate) async fn wait_until_started(&self, id: &str) {
        wait_until("the job starts", async || self.progress(id).await["ProcessedBytes"] != 0).await;
    }
}
