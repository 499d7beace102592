//! The accounts that an image is shared with.

use jingku_protocol::actions::ModifyCompShareImageShareAccountResponse;

use crate::failure::error;
use crate::form::Fields;
use crate::lang::Lang;
use crate::page::Notice;

/// The numbers of accounts in a form; `None` if something else is there.
pub(crate) fn accounts(fields: &Fields) -> Option<Vec<i64>> {
    let words = fields.get("accounts").split([',', '，', '、', ' ']).filter(|word| !word.is_empty());
    words.map(|word| word.parse().ok()).collect()
}

/// Names the accounts that an image cannot be shared with; `None` if there are none. Otherwise nothing was changed.
pub(crate) fn invalid(lang: Lang, answer: &ModifyCompShareImageShareAccountResponse) -> Option<Notice> {
    if answer.invalid_accounts.is_empty() {
        return None;
    }
    let accounts = answer.invalid_accounts.iter().map(i64::to_string).collect::<Vec<_>>().join(", ");
    Some(error(lang.with("share-invalid", "accounts", accounts)))
}
