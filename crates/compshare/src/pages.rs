use futures::{Stream, TryStreamExt, stream};
use jingku_protocol::Image;
use jingku_protocol::actions::{
    Action, DescribeCompShareCustomImagesRequest, DescribeCompShareCustomImagesResponse, MAX_LIMIT, Paging,
};

use crate::client::Client;
use crate::error::Error;
use crate::reply::undecodable;

impl Client {
    /// Lists the account's own images on all pages, from the one the request names, with [`MAX_LIMIT`] rows a page
    /// unless the request says otherwise.
    ///
    /// A page is requested only when the rows before it have been taken, and an error ends the stream. If the server offers
    /// `NextToken`, no row is skipped or repeated while images are created and deleted. With `Offset` that can happen.
    pub fn custom_images(
        &self,
        mut request: DescribeCompShareCustomImagesRequest,
    ) -> impl Stream<Item = Result<Image, Error>> + Send + Unpin + use<> {
        // A limit of 0 means the server's default; the end of the list shows only against a limit that is known.
        let limit = request.paging.limit.filter(|limit| limit.0 > 0);
        request.paging.limit = limit.or(Some(MAX_LIMIT.into()));
        let client = self.clone();
        let pages = stream::try_unfold(Some((request, None)), move |step| {
            let client = client.clone();
            async move {
                let Some((mut request, previous)) = step else { return Ok(None) };
                let page = client.describe_comp_share_custom_images(&request).await?;
                let first_id = page.image_set.first().map(|image| image.comp_share_image_id.clone());
                let first_id = first_id.filter(|id| !id.is_empty());
                // Without this, a server that does not know `Offset` would send its first page for ever.
                if let Some(id) = first_id.as_deref().filter(|_| first_id == previous) {
                    let action = Action::DescribeCompShareCustomImages;
                    return Err(undecodable(action, "the next page is the one before", id.as_bytes(), None));
                }
                let next = after(&request.paging, &page).map(|paging| {
                    request.paging = paging;
                    (request, first_id)
                });
                Ok(Some((stream::iter(page.image_set.into_iter().map(Ok)), next)))
            }
        });
        Box::pin(pages.try_flatten())
    }
}

/// Where the page after `page` starts; `None` after the last one.
fn after(asked: &Paging, page: &DescribeCompShareCustomImagesResponse) -> Option<Paging> {
    if !page.next_token.is_empty() {
        return Some(Paging {
            offset: None,
            next_token: Some(page.next_token.as_str().into()),
            ..asked.clone()
        });
    }
    if asked.next_token.is_some() {
        return None;
    }
    let rows = u64::try_from(page.image_set.len()).unwrap_or(u64::MAX);
    let offset = asked.offset().saturating_add(rows);
    // In some lists of the cloud, TotalCount counts the page and not the list: a total no larger than the page proves
    // nothing, and one more page is requested.
    let total = u64::try_from(page.total_count).unwrap_or(0);
    let ends = rows < u64::from(asked.limit()) || (total > rows && offset >= total);
    (!ends).then(|| Paging { offset: Some(offset.into()), ..asked.clone() })
}
