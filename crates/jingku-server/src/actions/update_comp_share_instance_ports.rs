use std::collections::{BTreeSet, HashSet};

use jingku_catalog::{PodPort, PortKind};
use jingku_library::{HTTP_PORT, SSH_PORT};
use jingku_protocol::actions as api;

use crate::call::Call;
use crate::error::Error;
use crate::pods;

/// How often other ports of the host are chosen when another request got them first.
const TRIES_MAX: u32 = 8;

/// Replaces the ports. A port that stays keeps its port of the host.
pub(crate) async fn run(
    call: &Call<'_>,
    request: api::UpdateCompShareInstancePortsRequest,
) -> Result<api::UpdateCompShareInstancePortsResponse, Error> {
    let (_, pod) = pods::find(call, &request.place, &request.instance_id).await?;
    let present = call.library.catalog.pod_ports(&[&pod.id]).await?;
    let mut wanted = BTreeSet::new();
    for (kind, name, requested, always) in [
        (PortKind::Http, "HttpPorts", &request.http_ports, Some(HTTP_PORT)),
        (PortKind::Tcp, "TcpPorts", &request.tcp_ports, Some(SSH_PORT)),
        (PortKind::Udp, "UdpPorts", &request.udp_ports, None),
    ] {
        let of_kind = wanted_of(kind, requested.as_ref(), &present, always);
        if of_kind.len() > api::MAX_PORTS {
            return Err(Error::not_available(name));
        }
        // One port of the container has one protocol: HTTP is TCP.
        if kind == PortKind::Tcp && of_kind.iter().any(|port| wanted.contains(&(PortKind::Http, *port))) {
            return Err(Error::not_available(name));
        }
        wanted.extend(of_kind.into_iter().map(|port| (kind, port)));
    }
    for _ in 0..TRIES_MAX {
        if call
            .library
            .catalog
            .set_pod_ports(&pod.id, &assign(call, &pod.id, &present, &wanted).await?)
            .await?
        {
            return Ok(api::InstanceDone { instance_id: pod.id });
        }
    }
    Err(Error::NoPorts)
}

/// The ports of a kind: as requested, or as they are.
fn wanted_of(
    kind: PortKind,
    requested: Option<&api::Ports>,
    present: &[PodPort],
    always: Option<u16>,
) -> BTreeSet<u16> {
    let port = |number: i64| u16::try_from(number).ok();
    let numbers: Vec<i64> = match requested {
        Some(requested) => requested.iter().map(|port| port.0).collect(),
        None => present.iter().filter(|port| port.kind == kind).map(|port| port.port).collect(),
    };
    numbers.into_iter().filter_map(port).chain(always).collect()
}

/// Gives each port a port of the host.
async fn assign(
    call: &Call<'_>,
    id: &str,
    present: &[PodPort],
    wanted: &BTreeSet<(PortKind, u16)>,
) -> Result<Vec<PodPort>, Error> {
    let is_wanted = |port: &&PodPort| wanted.iter().any(|wanted| is(port, *wanted));
    let kept = present.iter().filter(is_wanted).cloned();
    let new = wanted.iter().filter(|wanted| !present.iter().any(|port| is(port, **wanted))).copied();
    let new: Vec<_> = new.collect();
    let chosen = call.library.choose_ports(id, &new, &HashSet::new()).await?.ok_or(Error::NoPorts)?;
    Ok(kept.chain(chosen).collect())
}

fn is(port: &PodPort, (kind, number): (PortKind, u16)) -> bool {
    port.kind == kind && port.port == i64::from(number)
}
