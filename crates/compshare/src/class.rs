use jingku_protocol::{Class, RetCode};

/// The class of any return code. [`RetCode`] has those that Jingku answers with; this adds those known only from the cloud,
/// and classes other numbers by their range.
pub(crate) fn class_of(code: i64) -> Class {
    if let Some(known) = RetCode::from_code(code) {
        return known.class();
    }
    match code {
        // A backend did not answer the gateway within 60 s.
        110 => Class::AskAgainLater,
        // Still detaching, timed out, too frequent, or something else is under way.
        8434 | 8438 | 8441 | 226_609 | 226_619 | 226_620 | 226_622 | 226_628 => Class::AskAgainLater,
        // "service error, please contact technical support", and failures of what the backend depends on.
        8498 | 8510 | 8520 | 8580 => Class::ServiceFault,
        // Signature, token, rights on an operation, project, zone, address and IAM; the account is in arrears or not
        // verified.
        170..=179 | 240 | 290..=299 | 226_601 | 226_606 => Class::FixCredentials,
        // Parameters; sizes, ratios, page bounds, and a JSON type the backend refuses.
        160..=289 | 8067 | 8107 | 8333 | 8401 | 214_001 => Class::FixRequest,
        // The backend's own codes are about the state of resources.
        2000.. => Class::LookAgain,
        _ => Class::ServiceFault,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_class() {
        for known in RetCode::ALL {
            assert_eq!(class_of(known.code()), known.class());
        }
        let cases = [
            (110, Class::AskAgainLater),
            (299, Class::FixCredentials),
            (220, Class::FixRequest),
            (8498, Class::ServiceFault),
            (8434, Class::AskAgainLater),
            (8351, Class::LookAgain),
            (226_999, Class::LookAgain),
            (-1, Class::ServiceFault),
            (1, Class::ServiceFault),
        ];
        for (code, class) in cases {
            assert_eq!(class_of(code), class, "{code}");
        }
    }
}
