//! One method for each action, named as in the Python SDK.

use jingku_protocol::actions;

use crate::client::Client;
use crate::error::Error;

macro_rules! methods {
    // Below: its reply is checked.
    (@method DescribeCompShareCustomImages $($_:ident)*) => {};
    // Its reply is a file: `Client::export`.
    (@method ExportCompShareCustomImage $($_:ident)*) => {};
    (@method $action:ident $method:ident $request:ident $response:ident) => {
        #[doc = concat!(
            "Calls `", stringify!($action), "`: see [`", stringify!($request), "`](crate::actions::",
            stringify!($request), "), and [`call`](Self::call) for when it is sent again.",
        )]
        pub async fn $method(&self, request: &actions::$request) -> Result<actions::$response, Error> {
            self.call(request).await
        }
    };
    ($($action:ident $method:ident $request:ident $response:ident;)*) => {
        impl Client {
            $(methods! { @method $action $method $request $response })*
        }
    };
}

jingku_protocol::for_each_action!(methods);

impl Client {
    /// Lists one page of the account's own images; all of them: [`custom_images`](Self::custom_images).
    ///
    /// A query that filters or sorts is an extension of Jingku. The cloud ignores it: rows that cannot be the answer
    /// are an error.
    pub async fn describe_comp_share_custom_images(
        &self,
        request: &actions::DescribeCompShareCustomImagesRequest,
    ) -> Result<actions::DescribeCompShareCustomImagesResponse, Error> {
        let page = self.call(request).await?;
        if request.query.is_answered_by(&page.image_set) { Ok(page) } else { Err(Error::CannotFilter) }
    }
}
