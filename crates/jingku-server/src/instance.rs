//! The instance that a call is about.

use jingku_catalog::Instance;
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
