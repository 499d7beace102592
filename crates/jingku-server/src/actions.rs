//! One file per action. The table of actions is in `jingku_protocol::actions`.

use jingku_protocol::actions::{Action, Request};
use jingku_protocol::{ParamError, Tree};

use crate::caller::Caller;
use crate::context::Context;
use crate::error::Error;
use crate::reply::Reply;

macro_rules! dispatch {
    ($($action:ident $file:ident $request:ident $response:ident;)*) => {
        $(mod $file;)*

        /// Runs an authorized call.
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

/// Reads the typed request. Frees the tree early: checking a cover takes a while.
fn read<R: Request>(tree: Tree) -> Result<R, ParamError> {
    let request = R::read(&tree);
    drop(tree);
    request
}
