//! The instance that a call is about.

use std::collections::HashMap;

use jingku_catalog::Instance;
use jingku_library::{ContainerFacts, ContainerState};
use jingku_protocol::actions::Place;

use crate::call::Call;
use crate::context::host_of_url;
use crate::error::Error;

/// Finds an instance of the account at the place of the request, if it names one.
pub(crate) async fn find(call: &Call<'_>, place: &Place, id: &str) -> Result<Instance, Error> {
    let zones = call.library.zones.resolve(place)?;
    let instance = call.library.catalog.instance(Some(call.account().id), id).await?;
    let instance = instance.ok_or_else(|| Error::ResourceNotFound(id.to_owned()))?;
    if zones.is_some_and(|zones| !zones.contains(&instance.zone.as_str())) {
        return Err(Error::not_available("Zone"));
    }
    Ok(instance)
}

/// Refuses to ask this machine about an instance of another server.
pub(crate) fn check_here(call: &Call<'_>, instance: &Instance) -> Result<(), Error> {
    if instance.host == call.library.host_name() {
        return Ok(());
    }
    Err(Error::OnAnotherHost { id: instance.id.clone(), host: instance.host.clone() })
}

/// Finds an instance that is a running container, declared or created through the API.
pub(crate) async fn running_container(
    call: &Call<'_>,
    place: &Place,
    id: &str,
) -> Result<(Instance, ContainerFacts), Error> {
    let instance = find(call, place, id).await?;
    let facts = ContainerFacts::of(&instance)?;
    let state = ContainerFacts::state_of(&instance, facts.as_ref());
    match facts {
        // An image may be made of a running container.
        Some(facts)
            if facts.state == ContainerState::Running && matches!(state, "Running" | "ImageMaking") =>
        {
            Ok((instance, facts))
        }
        Some(_) | None => Err(Error::WrongState { id: instance.id, state }),
    }
}

/// The hosts at which other servers are reached, by their names; empty for a server that does not live.
pub(crate) async fn other_hosts(
    call: &Call<'_>,
    instances: &[Instance],
) -> Result<HashMap<String, String>, Error> {
    let mut hosts = HashMap::new();
    for Instance { host, .. } in instances {
        if host != call.library.host_name() && !hosts.contains_key(host) {
            let address = call.library.catalog.host_address(host).await?.unwrap_or_default();
            hosts.insert(host.clone(), host_of_url(&address));
        }
    }
    Ok(hosts)
}

/// The host of a published port. A port that is published on all addresses is reached like its server.
pub(crate) fn host_of(call: &Call<'_>, bound: &str, other: Option<&String>) -> String {
    if matches!(bound, "" | "0.0.0.0" | "::") {
        other.cloned().unwrap_or_else(|| call.context.host())
    } else {
        bound.to_owned()
    }
}
