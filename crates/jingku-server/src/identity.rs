//! Calls from inside the process: the web console calls the same actions as a client, with the same checks.

use std::net::IpAddr;

use axum::extract::Request;
use bytes::Bytes;
use futures::future::BoxFuture;
use jingku_catalog::Channel;
use jingku_library::{Internal, request_id};
use jingku_protocol::actions::{self as api, Access, Action};
use jingku_protocol::{Class, Params, RetCode, Tree};
use secrecy::ExposeSecret;
use subtle::ConstantTimeEq;
use tokio::time::{Duration, Instant, sleep_until};

use crate::audit::{Origin, audited, entry};
use crate::call::Call;
use crate::context::Context;
use crate::error::Error;
use crate::gateway::{Authorized, authenticate, authorize, check_access, check_key, peer, read, run};
use crate::reply::Reply;

/// How long it takes at least to answer that a key pair is wrong.
const MISMATCH_TIME_MIN: Duration = Duration::from_millis(250);

/// The holder of a key pair, who has proved to have it, perhaps when a session began. It is valid until the key is revoked.
#[derive(Clone, Debug)]
pub struct Identity {
    public_key: String,
    account_id: i64,
    account_name: String,
}

impl Identity {
    /// The number of the account.
    pub fn account_id(&self) -> i64 {
        self.account_id
    }

    /// The name of the account.
    pub fn account_name(&self) -> &str {
        &self.account_name
    }

    pub(crate) fn public_key(&self) -> &str {
        &self.public_key
    }

    fn of(call: &Call<'_>, public_key: &str) -> Self {
        let account = call.account();
        let (account_id, account_name) = (account.id.0, account.name.clone());
        Self { public_key: public_key.to_owned(), account_id, account_name }
    }
}

/// Why a call is refused: what a client of the API would learn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The return code.
    pub ret_code: RetCode,
    /// The message, in English.
    pub message: String,
}

impl Context {
    /// Identifies the holder of a key pair. Limits how many pairs an address can try. The time of a refusal does not
    /// depend on the reason, such as a public key that does not exist.
    pub async fn identify(
        &self,
        public_key: &str,
        private_key: &str,
        peer: Option<IpAddr>,
    ) -> Result<Identity, Refusal> {
        let start = Instant::now();
        let identified = async {
            self.rates.check_address(peer)?;
            let now = self.library.clock.monotonic();
            let attempt = self.sign_in_failures.begin(peer, public_key, now)?;
            let identified = self.compare(public_key, private_key, peer).await;
            match &identified {
                Err(error) if error.ret_code().class() == Class::FixCredentials => {
                    sleep_until(start + MISMATCH_TIME_MIN).await;
                }
                Ok(_) | Err(_) => self.sign_in_failures.take_back(&attempt),
            }
            identified
        };
        identified.await.map_err(|error| self.refuse(&error, None))
    }

    /// Compares a key pair with the known one, in constant time.
    async fn compare(
        &self,
        public_key: &str,
        private_key: &str,
        peer: Option<IpAddr>,
    ) -> Result<Identity, Error> {
        let call = self.caller(public_key).await?;
        let known = call.credentials.private_key.expose_secret().as_bytes();
        if !bool::from(known.ct_eq(private_key.as_bytes())) {
            return Err(Error::SignatureMismatch);
        }
        check_key(&call, peer)?;
        Ok(Identity::of(&call, public_key))
    }

    /// Identifies who signed a request. Only a request whose `Action` has this name counts, so that no call of the API
    /// is valid as one.
    pub async fn identify_signer(&self, name: &str, request: Request) -> Result<Identity, Refusal> {
        let identified = async {
            let peer = peer(&request);
            self.rates.check_address(peer)?;
            let (params, large) = read(self, request).await?;
            if params.scalar("Action")? != Some(name) {
                return Err(Error::ActionNotFound(name.to_owned()));
            }
            let (call, params) = authenticate(self, params, large.is_some()).await?;
            check_key(&call, peer)?;
            Ok(Identity::of(&call, params.scalar("PublicKey")?.unwrap_or_default()))
        };
        identified.await.map_err(|error| self.refuse(&error, None))
    }

    /// Calls an action as the holder of a key. The checks are those of a signed call; a revoked key is refused with
    /// [`RetCode::UserNotFound`].
    pub async fn call<R: api::Request>(
        &self,
        identity: &Identity,
        peer: Option<IpAddr>,
        request: &R,
    ) -> Result<R::Response, Refusal> {
        let json = self.call_action(identity, peer, R::ACTION, request.params()).await?;
        serde_json::from_slice(&json)
            .map_err(|error| self.refuse(&bad_answer(R::ACTION, &error.to_string()), Some(R::ACTION.name())))
    }

    /// Returns the answer as JSON. Boxed here, so that no other crate compiles all actions again.
    fn call_action<'a>(
        &'a self,
        identity: &'a Identity,
        peer: Option<IpAddr>,
        action: Action,
        params: Params,
    ) -> BoxFuture<'a, Result<Bytes, Refusal>> {
        Box::pin(async move {
            let start = Instant::now();
            let called = async {
                self.rates.check_address(peer)?;
                let mut call = self.caller(&identity.public_key).await?;
                // A stored answer belongs to a key.
                let params = params.text("PublicKey", Some(&identity.public_key));
                let Authorized { action, tree, _slot } = authorize(&mut call, peer, Ok(action), params)?;
                match perform(&call, peer, action, tree).await? {
                    Reply::Object(json) => Ok(json),
                    Reply::File { .. } => Err(bad_answer(action, "not an object")),
                }
            };
            let called: Result<_, Error> = called.await;
            let ret_code = called.as_ref().map_or_else(|error| error.ret_code().code(), |_| 0);
            self.metrics.answered(Some(action), ret_code, start.elapsed());
            called.map_err(|error| self.refuse(&error, Some(action.name())))
        })
    }

    async fn caller(&self, public_key: &str) -> Result<Call<'_>, Error> {
        let library = &self.library;
        let generation = library.catalog.generation();
        let credentials = library.credentials(public_key, generation).await?.ok_or(Error::UserNotFound)?;
        Ok(Call { context: self, library, credentials, generation, request: None, is_counted: false })
    }

    /// The holder of a key who has proved to have it before; `None` if the key was revoked since.
    pub(crate) async fn holder(&self, public_key: &str) -> Result<Option<Identity>, Error> {
        match self.caller(public_key).await {
            Ok(call) => Ok(Some(Identity::of(&call, public_key))),
            Err(Error::UserNotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn refuse(&self, error: &Error, action: Option<&str>) -> Refusal {
        error.log(&request_id(&*self.library.random), action);
        Refusal { ret_code: error.ret_code(), message: error.to_string() }
    }
}

fn bad_answer(action: Action, problem: &str) -> Error {
    Internal::BadRow(format!("{}: {problem}", action.name())).into()
}

async fn perform(call: &Call<'_>, peer: Option<IpAddr>, action: Action, tree: Tree) -> Result<Reply, Error> {
    if action.access() == Access::Read {
        return run(call, action, tree).await;
    }
    let request_id = request_id(&*call.library.random);
    let origin = Origin { channel: Channel::Console, peer, request_id: &request_id };
    let entry = entry(call, origin, action, &tree);
    let performed = async {
        check_access(call, action)?;
        run(call, action, tree).await
    };
    Box::pin(audited(call, entry, performed)).await
}
