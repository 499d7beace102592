//! An authenticated call of an action.

use std::sync::Arc;

use jingku_catalog::{Account, Generation, Scope};
use jingku_library::{Credentials, Library, MARGIN_BYTES};
use jingku_protocol::actions::Action;
use jingku_protocol::{NameRefusal, Params};

use crate::context::Context;
use crate::error::Error;

/// A call, and the account whose key signed it.
pub(crate) struct Call<'a> {
    pub(crate) context: &'a Context,
    pub(crate) library: &'a Library,
    pub(crate) credentials: Arc<Credentials>,
    /// The catalogue's generation before the request's first read. What was current then is current for the request.
    pub(crate) generation: Option<Generation>,
    /// The request's name if its answer is stored: see [`stored_request_name`].
    pub(crate) request: Option<String>,
    /// Whether it counts already for the limit of requests of its account.
    pub(crate) is_counted: bool,
}

impl Call<'_> {
    pub(crate) fn account(&self) -> &Account {
        &self.credentials.account
    }

    pub(crate) fn own(&self) -> Scope {
        Scope::own(self.account().id)
    }

    /// The host of the ports of instances that the API created.
    pub(crate) fn published_host(&self) -> String {
        let address = self.library.config.containers.publish;
        if address.is_unspecified() { self.context.host() } else { address.to_string() }
    }

    /// Bytes free for the data of images; `None` if they are not limited or unknown, as in a bucket.
    pub(crate) async fn free_image_bytes(&self) -> Result<Option<u64>, Error> {
        if self.library.images_on_disk { self.free_bytes().await } else { Ok(None) }
    }

    /// Bytes free in the data directory; `None` if they are not limited or cannot be read.
    pub(crate) async fn free_bytes(&self) -> Result<Option<u64>, Error> {
        let Some(disk_space) = self.library.disk_space.clone() else { return Ok(None) };
        let free = tokio::task::spawn_blocking(move || disk_space.free_bytes()).await?;
        let free = free.inspect_err(|error| tracing::warn!(%error, "cannot read the free space"));
        Ok(free.ok().map(|free| free.saturating_sub(MARGIN_BYTES)))
    }

    /// Refuses a parameter that is the name of another image of the account.
    pub(crate) async fn name_taken<T>(&self, param: &'static str, name: &str) -> Result<T, Error> {
        let holder = self.library.catalog.name_holder(self.own(), name).await?;
        let refusal = holder.map(|holder| {
            let held = if holder.is_upload { NameRefusal::HeldByUpload } else { NameRefusal::Taken };
            held(holder.image_id)
        });
        Err(Error::NameTaken { param, refusal })
    }
}

/// Returns the name of a request whose answer is stored; `None` for an action that is safe to repeat.
///
/// The catalogue stores the answer under this name, in the transaction of the change. The same request within
/// [`ANSWER_SECS`](jingku_catalog::ANSWER_SECS) gets the first answer. All other actions that change something lead to the
/// same state when repeated, except `CreateCompShareCustomImage`, whose second call finds the name taken.
pub(crate) fn stored_request_name(action: Action, params: &Params) -> Option<String> {
    let is_stored = matches!(
        action,
        Action::CopyCompShareCustomImage | Action::PublishCompShareImage | Action::SyncCompShareCustomImage
    );
    is_stored.then(|| name_request(params))
}

/// Names a signed request. The order and encoding of parameters do not matter. Another key pair or signature makes
/// another request.
fn name_request(params: &Params) -> String {
    let mut parameters: Vec<_> = params.iter().collect();
    parameters.sort_unstable_by_key(|(name, _)| *name);
    let mut sorted = Params::default();
    for (name, value) in parameters {
        sorted.set(name, value.clone());
    }
    blake3::hash(sorted.to_form().as_bytes()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_parameters_have_the_same_name() {
        let request = |source: &str, name: &str| {
            Params::for_action("CopyCompShareCustomImage").text("A", Some(source)).text("B", Some(name))
        };
        let one = name_request(&request("1", "2"));
        assert_eq!(
            name_request(
                &Params::default()
                    .text("B", Some("2"))
                    .text("A", Some("1"))
                    .text("Action", Some("CopyCompShareCustomImage"))
            ),
            one
        );
        // The signed text of these two is the same.
        assert_ne!(name_request(&request("1B2", "")), name_request(&request("1", "2B")));
        assert_ne!(name_request(&request("1", "3")), one);
        assert_eq!(one.len(), 64);
    }
}
