//! Why a name was refused. An extension in two members of the reply: the cloud has one message for all cases.

/// What is wrong with a name that was answered with 230.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NameRefusal {
    /// It cannot be the name of any image.
    Invalid,
    /// This image of the account has it.
    Taken(String),
    /// This image, whose upload is incomplete, has it.
    HeldByUpload(String),
}

impl NameRefusal {
    /// The member that names the case.
    pub const REASON: &str = "Reason";
    /// The member that names the image that has the name.
    pub const HOLDER: &str = "Holder";

    /// The value of [`REASON`](Self::REASON).
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Invalid => "NameInvalid",
            Self::Taken(_) => "NameTaken",
            Self::HeldByUpload(_) => "NameHeldByUpload",
        }
    }

    /// The value of [`HOLDER`](Self::HOLDER).
    pub fn holder(&self) -> Option<&str> {
        match self {
            Self::Invalid => None,
            Self::Taken(id) | Self::HeldByUpload(id) => Some(id),
        }
    }

    /// Reads the two members back; `None` for an unknown reason.
    pub fn from_members(reason: &str, holder: Option<&str>) -> Option<Self> {
        match (reason, holder) {
            ("NameInvalid", _) => Some(Self::Invalid),
            ("NameTaken", Some(id)) => Some(Self::Taken(id.to_owned())),
            ("NameHeldByUpload", Some(id)) => Some(Self::HeldByUpload(id.to_owned())),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_round_trip() {
        for refusal in [
            NameRefusal::Invalid,
            NameRefusal::Taken("a".to_owned()),
            NameRefusal::HeldByUpload("b".to_owned()),
        ] {
            assert_eq!(NameRefusal::from_members(refusal.reason(), refusal.holder()), Some(refusal));
        }
        assert_eq!(NameRefusal::from_members("NameTaken", None), None);
        assert_eq!(NameRefusal::from_members("Other", Some("a")), None);
    }
}
