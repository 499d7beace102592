//! Why a name was refused. An extension in two members of the reply: the cloud has one message for all cases.

use serde::{Deserialize, Serialize};

/// What is wrong with a name that was answered with 230. `Reason` names the case, and `Holder` the image that has the name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "Reason", content = "Holder")]
pub enum NameRefusal {
    /// It cannot be the name of any image.
    #[serde(rename = "NameInvalid")]
    Invalid,
    /// This image of the account has it.
    #[serde(rename = "NameTaken")]
    Taken(String),
    /// This image, whose upload is incomplete, has it.
    #[serde(rename = "NameHeldByUpload")]
    HeldByUpload(String),
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn refusals_round_trip() {
        for refusal in [
            NameRefusal::Invalid,
            NameRefusal::Taken("a".to_owned()),
            NameRefusal::HeldByUpload("b".to_owned()),
        ] {
            let members = serde_json::to_value(&refusal).unwrap();
            assert_eq!(NameRefusal::deserialize(members).unwrap(), refusal);
        }
        assert!(NameRefusal::deserialize(json!({ "Reason": "NameTaken" })).is_err());
        assert!(NameRefusal::deserialize(json!({ "Reason": "Other", "Holder": "a" })).is_err());
    }
}
