//! Addresses that a server cannot listen on.

use jingku_library::BadListenAddress;

use super::Explained;
use crate::failure::Exit;
use crate::messages::tr;

impl Explained for BadListenAddress {
    fn explain(&self) -> (Exit, String) {
        let quoted = |text: &str| format!("{text:?}");
        let chinese = match self {
            Self::NoPort(text) => tr!("errors-listen-no-port", text = quoted(text), bare = text),
            Self::NoHost(text) => tr!("errors-listen-no-host", text = quoted(text), bare = text),
            Self::PortAlone(text) => tr!("errors-listen-port-alone", text = quoted(text), bare = text),
            Self::BadPort(text) => tr!("errors-listen-bad-port", text = quoted(text)),
            Self::NoBrackets(text) => tr!("errors-listen-no-brackets", text = quoted(text)),
            Self::Url(text) => tr!("errors-listen-url", text = quoted(text)),
            Self::BadHost(text) => tr!("errors-listen-bad-host", text = quoted(text)),
        };
        (Exit::Usage, chinese)
    }
}
