//! The operator in the web console. There is no other way to one than a sign-in that a command wrote to the catalogue.

use std::net::IpAddr;
use std::pin::Pin;

use jingku_library::for_browser;

use crate::context::Context;
use crate::identity::Refusal;

/// The operator, who has proved to have access to the catalogue.
#[derive(Clone, Debug)]
pub struct Operator(());

impl Operator {
    /// Called for a link or session of the operator only.
    pub(crate) fn of_sign_in() -> Self {
        Self(())
    }

    /// Makes changes with entries in the audit log that name the console and the address.
    pub fn change<T>(
        &self,
        peer: Option<IpAddr>,
        changes: impl Future<Output = T>,
    ) -> Pin<Box<impl Future<Output = T>>> {
        for_browser(peer.map(|peer| peer.to_string()).unwrap_or_default(), changes)
    }
}

impl Context {
    /// Counts a request of the operator. Refuses it if the address sends too many.
    pub fn admit(&self, _: &Operator, peer: Option<IpAddr>) -> Result<(), Refusal> {
        self.rates.check_address(peer).map_err(|error| self.refuse(&error, None))
    }
}
