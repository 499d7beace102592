use futures::{Stream, TryStreamExt, stream};
use jingku_protocol::Image;
use jingku_protocol::actions::{
    DescribeCompShareCustomImagesRequest, DescribeCompShareCustomImagesResponse, MAX_LIMIT, Paging,
};

use crate::client::Client;
use crate::error::Error;

impl Client {
    /// Lists the account's own images on all pages, from the one the request names, with [`MAX_LIMIT`] rows a page
    /// unless the request says otherwise.
    ///
    /// A page is asked for only when the rows before it have been taken, and an error ends the stream. Where the server
    /// offers `NextToken`, no row is skipped or seen twice while images come and go; elsewhere pages are told apart by
    /// `Offset`, where that can happen.
    pub fn custom_images(
        &self,
        mut request: DescribeCompShareCustomImagesRequest,
    ) -> impl Stream<Item = Result<Image, Error>> + Send + Unpin + use<> {
        // A limit of 0 means the server's default; the end of the list shows only against a limit that is known.
        request.paging.limit = request.paging.limit.filter(|limit| *limit > 0).or(Some(MAX_LIMIT));
        let client = self.clone();
        let pages = stream::try_unfold(Some(request), move |request| {
            let client = client.clone();
            async move {
                let Some(mut request) = request else { return Ok(None) };
                let page = client.call(&request).await?;
                let next = after(&request.paging, &page).map(|paging| {
                    request.paging = paging;
                    request
                });
                let rows = stream::iter(page.image_set.into_iter().map(Ok));
                Ok(Some((rows, next)))
            }
        });
        Box::pin(pages.try_flatten())
    }
}

/// Where the page after `page` starts; `None` after the last one.
fn after(asked: &Paging, page: &DescribeCompShareCustomImagesResponse) -> Option<Paging> {
    if !page.next_token.is_empty() {
        return Some(Paging { offset: None, next_token: Some(page.next_token.clone()), ..asked.clone() });
    }
    if asked.next_token.is_some() {
        return None;
    }
    let rows = u64::try_from(page.image_set.len()).unwrap_or(u64::MAX);
    let offset = asked.offset().saturating_add(rows);
    // On some of the cloud's lists TotalCount counts the page and not the list: a total that is no larger than the
    // page proves nothing, and one more page is asked for.
    let total = u64::try_from(page.total_count).unwrap_or(0);
    let counted_out = total > rows && offset >= total;
    let ends = rows < u64::from(asked.limit()) || counted_out;
    (!ends).then(|| Paging { offset: Some(offset), ..asked.clone() })
}
