//! Signed calls, straight into the router.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use jingku_protocol::actions::Action;
use jingku_protocol::{Params, sign_request};
use jingku_service::KeyPair;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::Reply;

/// How long a test waits for what takes a moment.
const PATIENCE: Duration = Duration::from_mins(1);

/// Whoever holds a key pair.
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

    /// Adds `PublicKey` and `Signature`.
    pub(crate) fn sign(&self, params: Params) -> Params {
        sign_request(params, &self.public_key, self.private_key.expose_secret())
    }

    /// Sends a request as it is.
    pub(crate) async fn send(&self, request: Request<Body>) -> Reply {
        let Ok(response) = self.router.call(request).await;
        Reply::read(response).await
    }

    /// Posts parameters as a form, as they are.
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

    /// Calls an action that must succeed.
    pub(crate) async fn ok(&self, action: Action, params: &[(&str, &str)]) -> Value {
        let reply = self.call(action, params).await;
        assert_eq!(reply.json["RetCode"], 0, "{action:?} {params:?}: {}", reply.json);
        assert_eq!(reply.json["Action"], format!("{}Response", action.name()));
        reply.json
    }

    /// Calls an action that must be refused, and tells how.
    pub(crate) async fn refusal(&self, action: Action, params: &[(&str, &str)]) -> (i64, String) {
        self.call(action, params).await.refusal()
    }

    /// Starts making an image and tells its id.
    pub(crate) async fn create(&self, instance_id: &str, name: &str) -> String {
        let params = [("UHostId", instance_id), ("Name", name)];
        let reply = self.ok(Action::CreateCompShareCustomImage, &params).await;
        reply["CompShareImageId"].as_str().unwrap().to_owned()
    }

    /// The images of a list call.
    pub(crate) async fn images(&self, params: &[(&str, &str)]) -> Vec<Value> {
        let mut reply = self.ok(Action::DescribeCompShareCustomImages, params).await;
        serde_json::from_value(reply["ImageSet"].take()).unwrap()
    }

    /// One image, asked for by id.
    pub(crate) async fn image(&self, id: &str) -> Value {
        let mut images = self.images(&[("CompShareImageId", id)]).await;
        assert_eq!(images.len(), 1, "{images:?}");
        images.remove(0)
    }

    pub(crate) async fn progress(&self, id: &str) -> Value {
        self.ok(Action::GetCompShareImageCreateProgress, &[("CompShareImageId", id)]).await
    }

    /// Waits until the making of an image has ended.
    pub(crate) async fn wait_while_making(&self, id: &str) {
        let ended = async {
            while self.progress(id).await["Status"] == "Making" {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, ended).await.expect("the making ends");
    }

    /// Waits until a worker has read part of the disk.
    pub(crate) async fn wait_until_begun(&self, id: &str) {
        let begun = async {
            while self.progress(id).await["ProcessedBytes"] == 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(PATIENCE, begun).await.expect("the making begins");
    }

    /// Everything the account can see, to compare before and after.
    pub(crate) async fn everything(&self) -> [Value; 2] {
        self.everything_in(&[]).await
    }

    /// Everything in a place: a strict service does not tell without one.
    async fn everything_in(&self, place: &[(&str, &str)]) -> [Value; 2] {
        let lists = [Action::DescribeCompShareCustomImages, Action::DescribeCompShareInstance];
        let mut seen = lists.map(|_| Value::Null);
        for (seen, list) in seen.iter_mut().zip(lists) {
            *seen = self.ok(list, &[place, &[("Limit", "100")]].concat()).await;
            seen.as_object_mut().unwrap().remove("request_uuid");
        }
        seen
    }

    /// Checks that a call is refused just so, and that nothing the account can see has changed.
    pub(crate) async fn assert_refused(
        &self,
        action: Action,
        params: &[(&str, &str)],
        code: i64,
        message: &str,
    ) {
        let before = self.everything().await;
        let refusal = self.refusal(action, params).await;
        assert_eq!(refusal, (code, message.to_owned()), "{action:?} {params:?}");
        assert_eq!(self.everything().await, before, "{action:?} {params:?}");
    }

    /// Checks the rules of `Region`, `Zone` and `ProjectId` that every action with a place has. `params` are those of
    /// a call that succeeds for something in the default zone.
    pub(crate) async fn assert_place_is_checked(&self, action: Action, params: &[(&str, &str)]) {
        for (region, zone, wrong) in [
            ("moon", "", "Region"),
            ("CN-WLCB", "", "Region"),
            ("", "moon", "Zone"),
            ("moon", "cn-wlcb-01", "Region"),
            ("cn-wlcb", "moon", "Zone"),
            ("cn-sh2", "cn-wlcb-01", "Zone"),
        ] {
            let place = [params, &[("Region", region), ("Zone", zone)]].concat();
            self.assert_refused(action, &place, 230, &format!("Params [{wrong}] not available")).await;
        }
        self.assert_project_is_checked(action, params).await;
    }

    /// Checks that a strict service asks for each of `demanded`, in this order. `params` with all of them succeed.
    pub(crate) async fn assert_demanded(
        &self,
        action: Action,
        params: &[(&str, &str)],
        demanded: &[(&str, &str)],
    ) {
        let place = [("Region", "cn-wlcb"), ("Zone", "cn-wlcb-01")];
        let before = self.everything_in(&place).await;
        for (index, (name, _)) in demanded.iter().enumerate() {
            let refusal = (210, format!("Missing params [{name}]"));
            let given = [params, &demanded[..index]].concat();
            assert_eq!(self.refusal(action, &given).await, refusal);
            let empty = [&given[..], &[(name, "")]].concat();
            assert_eq!(self.refusal(action, &empty).await, refusal);
        }
        assert_eq!(self.everything_in(&place).await, before);
        self.ok(action, &[params, demanded].concat()).await;
    }

    /// Checks that a project of somebody else is refused.
    pub(crate) async fn assert_project_is_checked(&self, action: Action, params: &[(&str, &str)]) {
        let foreign = [params, &[("ProjectId", "org-other")]].concat();
        self.assert_refused(action, &foreign, 292, "Project [org-other] not exists").await;
    }
}
