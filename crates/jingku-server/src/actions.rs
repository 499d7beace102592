//! One file an action: parse, one call below, answer. The table is `jingku_protocol::actions`.

use jingku_catalog::{Cursor, InvalidCursor, Paging as Rows, Scope};
use jingku_protocol::actions::{self as api, Action, Paging, Request, Word};
use jingku_protocol::{NameRefusal, ParamError, Tree};

use crate::context::Context;
use crate::error::Error;
use crate::gateway::Caller;
use crate::reply::Reply;

/// Whether a call would do its work twice, or be refused because it was done, when its request comes twice.
///
/// The catalogue keeps what such a request came to, in the transaction of the change and under the name in
/// [`Caller::request`]; the same request within [`ANSWER_SECS`](crate::limits::ANSWER_SECS) is answered as the first. Of the
/// other actions, those that change something lead to the same state when they come twice, but for
/// `CreateCompShareCustomImage`, whose second call finds the name taken.
pub(crate) const fn is_remembered(action: Action) -> bool {
    matches!(
        action,
        Action::CopyCompShareCustomImage | Action::PublishCompShareImage | Action::SyncCompShareCustomImage
    )
}

macro_rules! dispatch {
    ($($action:ident $file:ident $request:ident $response:ident;)*) => {
        $(
            mod $file;

            impl From<api::$response> for Reply {
                fn from(response: api::$response) -> Self {
                    Self::object(&response)
                }
            }
        )*

        /// Carries out a call that has passed the gateway.
        pub(crate) async fn run(
            context: &Context,
            caller: &Caller,
            action: Action,
            tree: Tree,
        ) -> Result<Reply, Error> {
            match action {
                $(Action::$action => Ok($file::run(context, caller, read(tree)?).await?.into()),)*
            }
        }
    };
}

jingku_protocol::for_each_action!(dispatch);

/// The typed request. What it does not hold is freed: a cover is checked for a while.
fn read<R: Request>(tree: Tree) -> Result<R, ParamError> {
    let request = R::read(&tree);
    drop(tree);
    request
}

impl Caller {
    /// The images that are the caller's own.
    fn own(&self) -> Scope {
        Scope::own(self.account().id)
    }
}

/// The place a `NextToken` stands for, as the list that it is for reads it.
pub(crate) fn cursor(
    paging: &Paging,
    parse: impl Fn(&str) -> Result<Cursor, InvalidCursor>,
) -> Result<Option<Cursor>, Error> {
    let token = paging.next_token.as_deref();
    token.map(parse).transpose().map_err(|InvalidCursor| Error::not_available("NextToken"))
}

/// The `NextToken` of a page; empty on the last one.
pub(crate) fn next_token(next: Option<Cursor>) -> String {
    next.map(|cursor| cursor.to_string()).unwrap_or_default()
}

/// Which rows of the catalogue a page is.
pub(crate) fn rows<'a>(paging: &Paging, cursor: Option<&'a Cursor>) -> Rows<'a> {
    let limit = paging.limit();
    match cursor {
        Some(cursor) => Rows::After { cursor, limit },
        // No list is longer than this, so a larger offset is past its end as well.
        None => Rows::Offset { offset: u32::try_from(paging.offset()).unwrap_or(u32::MAX), limit },
    }
}

pub(crate) fn texts(list: &[Word]) -> Vec<&str> {
    list.iter().map(|word| &**word).collect()
}

/// The form in which the catalogue keeps what it does not look into.
fn to_json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("lists and texts serialise")
}

/// What a parameter gets that is the name of another image of the account.
async fn name_taken(context: &Context, caller: &Caller, param: &'static str, name: &str) -> Error {
    let holder = match context.catalog.name_holder(caller.own(), name).await {
        Ok(holder) => holder,
        Err(error) => return error.into(),
    };
    let refusal = holder.map(|holder| {
        let held = if holder.is_upload { NameRefusal::HeldByUpload } else { NameRefusal::Taken };
        held(holder.image_id)
    });
    Error::NameTaken { param, refusal }
}
