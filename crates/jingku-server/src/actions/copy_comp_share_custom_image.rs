use jingku_catalog::{CopyImage, NewCopy};
use jingku_library::{failpoint, image_id};
use jingku_protocol::actions as api;

use crate::call::Call;
use crate::error::Error;

/// Maximum number of names tried for a copy without a name.
const NAMES_MAX: u32 = 1000;

pub(crate) async fn run(
    call: &Call<'_>,
    request: api::CopyCompShareCustomImageRequest,
) -> Result<api::CopyCompShareCustomImageResponse, Error> {
    call.library.zones.resolve(&request.place)?;
    let id = image_id(&*call.library.random);
    let name = |original: &str, number: u32| match &request.target_name {
        Some(name) => (number == 0).then(|| name.to_string()),
        None => (number < NAMES_MAX).then(|| with_suffix(original, &numbered(number))),
    };
    let copy = NewCopy {
        id: &id,
        owner: call.account().id,
        name: &name,
        description: None,
        place: None,
        platform_type: "",
        request: call.request.as_deref(),
    };
    failpoint::reached("copy.before_row");
    let copied = call
        .library
        .catalog
        .copy_image(call.own(), &request.image_id, copy, call.library.clock.now())
        .await?;
    failpoint::reached("copy.after_row");
    match copied {
        CopyImage::Copied(_) => Ok(api::CopyCompShareCustomImageResponse { new_comp_share_image_id: id }),
        CopyImage::AlreadyCopied(id) => {
            Ok(api::CopyCompShareCustomImageResponse { new_comp_share_image_id: id })
        }
        CopyImage::NotFound => Err(Error::ResourceNotFound(request.image_id.into())),
        CopyImage::NotAvailable => Err(Error::ImageNotAvailable(request.image_id.into())),
        CopyImage::NameTaken => {
            let name = request.target_name.as_deref().unwrap_or_default();
            call.name_taken("TargetImageName", name).await
        }
        CopyImage::OverLimit(over) => Err(Error::OverLimit(over)),
    }
}

/// `-copy`, `-copy-2`, `-copy-3`, …
fn numbered(number: u32) -> String {
    if number == 0 { "-copy".to_owned() } else { format!("-copy-{}", number + 1) }
}

/// Appends a suffix to a name, truncated to the maximum length of a name.
pub(super) fn with_suffix(name: &str, suffix: &str) -> String {
    let chars = api::MAX_NAME_CHARS.saturating_sub(suffix.chars().count());
    name.chars().take(chars).chain(suffix.chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_is_truncated_before_its_suffix() {
        assert_eq!(with_suffix("环境", &numbered(0)), "环境-copy");
        assert_eq!(with_suffix("环境", &numbered(1)), "环境-copy-2");
        let cut = with_suffix(&"境".repeat(50), &numbered(11));
        assert_eq!((cut.chars().count(), cut.ends_with("境-copy-12")), (50, true));
    }
}
