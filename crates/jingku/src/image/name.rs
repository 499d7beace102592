//! The name of an image: the rule, and why one was refused.

use compshare::actions::Action;
use compshare::{Error, NameRefusal, RetCode};

use crate::lang::tr;

/// What can be a name, for help and messages.
pub(crate) fn rule() -> &'static str {
    tr(
        "1 to 50 Chinese characters, ASCII letters, digits and _ , . : -",
        "1 到 50 个汉字、英文字母、数字或 _ , . : -",
    )
}

/// The help of an option that names an image.
pub(crate) fn help(what: &str) -> String {
    let rule = rule();
    tr(format!("{what}: {rule}"), format!("{what}：{rule}"))
}

/// What to do when the name of an image was refused.
pub(crate) fn advice(error: &Error) -> Option<String> {
    let Error::Api { action, code, message, name_refusal, .. } = error else { return None };
    let rule = rule();
    match name_refusal {
        Some(NameRefusal::Invalid) => Some(tr(
            format!("This cannot be the name of an image: use {rule}"),
            format!("这不能用作镜像名称：限 {rule}"),
        )),
        Some(NameRefusal::Taken(id)) => Some(tr(
            format!(
                "Image {id} of the account has this name. Choose another one, or rename or delete that image."
            ),
            format!("该账号的镜像 {id} 已使用此名称。请换一个名称，或将该镜像改名或删除。"),
        )),
        Some(NameRefusal::HeldByUpload(id)) => Some(tr(
            format!(
                "An import that has not ended holds this name for image {id}. Import the same file under it again to \
                 continue, choose another name, or delete that image."
            ),
            format!(
                "尚未完成的导入（镜像 {id}）占用了此名称。请用同一文件和名称再次导入以继续，或换一个名称，或删除该镜像。"
            ),
        )),
        None if *code == RetCode::MissingParam.code()
            && names_an_image(*action)
            && message.contains("Name]") =>
        {
            Some(tr(
                format!("Nothing cannot be the name of an image: use {rule}"),
                format!("名称为空，不能用作镜像名称：限 {rule}"),
            ))
        }
        // The cloud has one answer for both.
        None if *code == RetCode::ParamNotAvailable.code()
            && names_an_image(*action)
            && message.contains("Name]") =>
        {
            Some(tr(
                format!("Either another image of the account has this name, or it cannot be one: use {rule}"),
                format!("该账号的另一个镜像已使用此名称，或者它不能用作名称：限 {rule}"),
            ))
        }
        None => None,
    }
}

/// Whether an action gives an image a name; lists have a parameter called so, too.
fn names_an_image(action: Action) -> bool {
    matches!(
        action,
        Action::CreateCompShareCustomImage
            | Action::ImportCompShareCustomImage
            | Action::UpdateCompShareImage
            | Action::CopyCompShareCustomImage
            | Action::SyncCompShareCustomImage
    )
}
