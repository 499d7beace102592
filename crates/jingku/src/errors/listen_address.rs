//! Addresses that a server cannot listen on.

use jingku_library::BadListenAddress;

use super::Localized;
use crate::messages::tr;

impl Localized for BadListenAddress {
    fn chinese(&self) -> String {
        let quoted = |text: &str| format!("{text:?}");
        match self {
            Self::NoPort(text) => tr!("errors-listen-no-port", text = quoted(text), bare = text),
            Self::NoHost(text) => tr!("errors-listen-no-host", text = quoted(text), bare = text),
            Self::PortAlone(text) => tr!("errors-listen-port-alone", text = quoted(text), bare = text),
            Self::BadPort(text) => tr!("errors-listen-bad-port", text = quoted(text)),
            Self::NoBrackets(text) => tr!("errors-listen-no-brackets", text = quoted(text)),
            Self::Url(text) => tr!("errors-listen-url", text = quoted(text)),
            Self::BadHost(text) => tr!("errors-listen-bad-host", text = quoted(text)),
        }
    }
}
