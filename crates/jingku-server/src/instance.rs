//! The instance that a call is about.

use jingku_catalog::Instance;
use jingku_library::{ContainerFacts, ContainerState};
use jingku_protocol::actions::Place;

use crate::call::Call;
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

/// The host of a published port. A port that is published on all addresses is reached like this server.
pub(crate) fn host_of(call: &Call<'_>, bound: &str) -> String {
    if matches!(bound, "" | "0.0.0.0" | "::") { call.context.host() } else { bound.to_owned() }
}
