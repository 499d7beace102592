//! Well-known programs of instances, and the ports they listen on.

use jingku_catalog::{Instance, Scope};
use jingku_library::Internal;
use jingku_protocol::SoftwarePort;

use crate::call::Call;
use crate::error::Error;

/// The notebook server, which every instance has a port for.
pub(crate) const JUPYTER: &str = "JupyterLab";

/// Software and ports as documented.
pub(crate) const SOFTWARE: [(&str, u16); 3] = [(JUPYTER, 8888), ("SSH", 22), ("FileBrowser", 443)];

/// The port of a program: of the image of the instance, or the well-known one.
pub(crate) async fn port_of(call: &Call<'_>, instance: &Instance, name: &str) -> Result<Option<u16>, Error> {
    let mut ports = Vec::new();
    if let Some(from) = &instance.started_from
        && let Some(image) =
            call.library.catalog.image(Scope::visible_to(instance.account), &from.image_id).await?
    {
        ports = serde_json::from_str::<Vec<SoftwarePort>>(&image.software_ports)
            .map_err(|error| Internal::BadRow(format!("image {}: {error}", image.id)))?;
    }
    let of_image = ports.into_iter().map(|port| (port.software, port.port));
    let known = SOFTWARE.map(|(name, port)| (name.to_owned(), port));
    Ok(of_image.chain(known).find(|(software, _)| software == name).map(|(_, port)| port))
}

/// The URL of a published port.
pub(crate) fn url(host: &str, port: u16) -> String {
    if host.contains(':') { format!("http://[{host}]:{port}/") } else { format!("http://{host}:{port}/") }
}
