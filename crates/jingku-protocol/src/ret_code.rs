//! The table of return codes: the number and what a caller can do about it. The server's errors hold the texts.
//! Evidence for every code and text: docs/wire/errors.md.

/// What the caller of a failed request should do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// The request is wrong: fix it before sending it again.
    FixRequest,
    /// The key pair or its rights are wrong.
    FixCredentials,
    /// A resource does not exist or is in the wrong state: check it before sending the request again.
    LookAgain,
    /// The request cannot be served now: retry later.
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
    /// The service is starting or stopping, or a dependency is unavailable.
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
    /// The key is not allowed from the address of the request.
    AddressDenied = 294, FixCredentials;
    /// The key is not allowed to call this action.
    PermissionDenied = 299, FixCredentials;
    /// The instance must be stopped first.
    InstanceNotStopped = 8010, LookAgain;
    /// The image cannot be used now.
    ImageNotAvailable = 8017, LookAgain;
    /// The resource does not exist or the caller cannot access it.
    ResourceNotFound = 8039, LookAgain;
    /// Over a quota or a size limit.
    QuotaExceeded = 8095, LookAgain;
    /// The password is not one.
    BadPassword = 8314, FixRequest;
    /// The disk is smaller than the image.
    DiskTooSmall = 8315, FixRequest;
    /// Another account shares the image with the caller, who cannot share it further.
    ReshareRefused = 8350, LookAgain;
    /// Other instances use the GPUs of the instance.
    NoStock = 8357, AskAgainLater;
    /// The password cannot be changed now.
    PasswordNotChanged = 8433, LookAgain;
    /// The instance cannot be started without its GPUs.
    NeedsGpu = 8442, FixRequest;
    /// The instance is busy with another task.
    InstanceBusy = 8903, AskAgainLater;
    /// The instance is in a state that does not allow this.
    InstanceState = 8905, LookAgain;
    /// An image is being made from the instance.
    InstanceMakingImage = 8964, AskAgainLater;
    /// Another version of the group has the name.
    VersionTaken = 8968, FixRequest;
    /// The image does not support the GPU type.
    ImageNotForGpu = 226_603, FixRequest;
    /// The host has nothing free of what is asked for.
    OutOfResources = 226_604, AskAgainLater;
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
