//! The one table of return codes: number and what a caller can do about it. The texts belong to the errors that carry
//! the codes, in the daemon. Evidence for every code and text: docs/wire/errors.md.

/// What the caller of a failed request should do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// The request is wrong and will stay wrong: mend it.
    FixRequest,
    /// The key pair or its rights are wrong.
    FixCredentials,
    /// What the request names is not there, or not in the state it needs: look before asking again.
    LookAgain,
    /// The request is right and the moment is not: ask again later.
    AskAgainLater,
    /// The service failed.
    ServiceFault,
}

macro_rules! ret_codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $class:ident;)*) => {
        /// A `RetCode` that this API answers with. Zero, success, is not among them.
        ///
        /// SDKs resend a request whose code is 2000 or higher when they retry at all, so only a code inherited from
        /// CompShare may be that high.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum RetCode {
            $($(#[$doc])* $name,)*
        }

        impl RetCode {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The number on the wire.
            pub const fn code(self) -> i64 {
                match self { $(Self::$name => $code,)* }
            }

            /// What the caller should do.
            pub const fn class(self) -> Class {
                match self { $(Self::$name => Class::$class,)* }
            }

            /// The code for a number, if it is one of ours.
            pub fn from_code(code: i64) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.code() == code)
            }
        }
    };
}

ret_codes! {
    /// The service itself failed.
    ServiceError = 130, ServiceFault;
    /// The service is starting, stopping, or has lost something it needs.
    ServiceUnavailable = 150, AskAgainLater;
    /// Too many requests.
    Throttled = 153, AskAgainLater;
    /// No `Action`.
    MissingAction = 160, FixRequest;
    /// An `Action` that does not exist.
    ActionNotFound = 161, FixRequest;
    /// No `Signature`.
    MissingSignature = 170, FixCredentials;
    /// The signature does not match the parameters.
    SignatureMismatch = 171, FixCredentials;
    /// No such `PublicKey`.
    UserNotFound = 172, FixCredentials;
    /// No such `SecurityToken`.
    TokenNotFound = 174, FixCredentials;
    /// A required parameter is absent.
    MissingParam = 210, FixRequest;
    /// A parameter has a value that cannot be used.
    ParamNotAvailable = 230, FixRequest;
    /// No such project.
    ProjectNotFound = 292, FixCredentials;
    /// The key is not good from the address the request came from.
    AddressDenied = 294, FixCredentials;
    /// The key is not good for this action.
    PermissionDenied = 299, FixCredentials;
    /// The image cannot be used now.
    ImageNotAvailable = 8017, LookAgain;
    /// No such resource, or none that the caller may see.
    ResourceNotFound = 8039, LookAgain;
    /// Over a quota or a size limit.
    QuotaExceeded = 8095, LookAgain;
    /// The image is another account's, which shares it with the caller: it cannot be shared on.
    ReshareRefused = 8350, LookAgain;
    /// The instance is busy with another task.
    InstanceBusy = 8903, AskAgainLater;
    /// The instance is in a state that does not allow this.
    InstanceState = 8905, LookAgain;
    /// An image is being made from the instance.
    InstanceMakingImage = 8964, AskAgainLater;
    /// Another version of the group has the name.
    VersionTaken = 8968, FixRequest;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_unique_and_resolve() {
        for code in RetCode::ALL {
            assert_eq!(RetCode::from_code(code.code()), Some(*code));
        }
        assert_eq!(RetCode::from_code(0), None);
    }
}
