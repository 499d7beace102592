use jingku_protocol::actions as api;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::call::Call;
use crate::error::Error;
use crate::instance;
use crate::software::{JUPYTER, port_of, url};

/// Answers the URL of a program whose port is published. Whether the program runs is not known.
pub(crate) async fn run(
    call: &Call<'_>,
    request: api::GetSoftwareUrlRequest,
) -> Result<api::GetSoftwareUrlResponse, Error> {
    let (row, facts) = instance::running_container(call, &request.place, &request.instance_id).await?;
    let unknown = || Error::not_available("Software");
    let port = port_of(call, &row, &request.software).await?.ok_or_else(unknown)?;
    let (host, host_port) = facts.published.get(&format!("{port}/tcp")).ok_or_else(unknown)?;
    let others = instance::other_hosts(call, std::slice::from_ref(&row)).await?;
    let mut url = url(&instance::host_of(call, host, others.get(&row.host)), *host_port);
    if *request.software == *JUPYTER {
        instance::check_here(call, &row)?;
        let token = call.library.jupyter_token(&facts).await.ok_or(Error::EngineAway)?;
        if !token.is_empty() {
            url = format!("{url}?token={}", utf8_percent_encode(&token, NON_ALPHANUMERIC));
        }
    }
    Ok(api::GetSoftwareUrlResponse { url })
}
