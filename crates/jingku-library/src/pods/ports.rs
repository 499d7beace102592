//! Which ports of the machine publish those of a pod.

use std::collections::HashSet;
use std::net::{TcpListener, UdpSocket};

use jingku_catalog::{PodPort, PortKind};

use crate::blocking::in_place;
use crate::error::Internal;
use crate::library::Library;

/// The port that every pod serves HTTP on.
pub const HTTP_PORT: u16 = 8888;
/// The port of the SSH server of a pod, as on CompShare.
pub const SSH_PORT: u16 = 23;
/// The port of an SSH server elsewhere.
const USUAL_SSH_PORT: u16 = 22;
/// Maximum number of ports of a kind, as on CompShare.
const KIND_PORTS_MAX: usize = 10;

/// The ports of a new pod: those that every pod has, and those that its image exposes. A port such as `8888/tcp`.
pub fn wanted_ports<'a>(exposed: impl IntoIterator<Item = &'a str>) -> Vec<(PortKind, u16)> {
    let mut ports = vec![(PortKind::Http, HTTP_PORT), (PortKind::Tcp, SSH_PORT)];
    for exposed in exposed {
        let (port, protocol) = exposed.split_once('/').unwrap_or((exposed, "tcp"));
        let Some(port) = port.parse().ok().filter(|port| *port > 0) else { continue };
        let kind = match (protocol, port) {
            ("tcp", USUAL_SSH_PORT | SSH_PORT) => PortKind::Tcp,
            ("tcp", _) => PortKind::Http,
            ("udp", _) => PortKind::Udp,
            _ => continue,
        };
        let count = ports.iter().filter(|(other, _)| *other == kind).count();
        if !ports.contains(&(kind, port)) && count < KIND_PORTS_MAX {
            ports.push((kind, port));
        }
    }
    ports
}

impl Library {
    /// Chooses a port of the machine for each port of a pod, none of `taken` and none that a program listens on. `None` if
    /// there are not enough. Another request may get the same: the catalogue decides.
    pub async fn choose_ports(
        &self,
        id: &str,
        wanted: &[(PortKind, u16)],
        taken: &HashSet<i64>,
    ) -> Result<Option<Vec<PodPort>>, Internal> {
        let settings = &self.config.containers;
        let [first, last] = settings.publish_ports;
        let mut used: HashSet<i64> = self.catalog.host_ports().await?.into_iter().collect();
        used.extend(taken);
        // Where to begin is random, so that requests at the same time choose different ports.
        let mut draw = [0; 4];
        self.random.fill(&mut draw);
        let count = u32::from(last.saturating_sub(first)) + 1;
        let begin = u32::from_le_bytes(draw) % count;
        let candidates =
            (0..count).filter_map(|step| u16::try_from(u32::from(first) + (begin + step) % count).ok());
        let is_free = |port: &u16| {
            let address = (settings.publish, *port);
            !used.contains(&i64::from(*port))
                && TcpListener::bind(address).is_ok()
                && UdpSocket::bind(address).is_ok()
        };
        let chosen: Vec<u16> = in_place(|| candidates.filter(is_free).take(wanted.len()).collect());
        if chosen.len() < wanted.len() {
            return Ok(None);
        }
        let port = |(&(kind, port), host_port): (&(PortKind, u16), u16)| PodPort {
            host_port: host_port.into(),
            instance_id: id.to_owned(),
            kind,
            port: port.into(),
        };
        Ok(Some(wanted.iter().zip(chosen).map(port).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_has_the_usual_ports_and_those_of_its_image() {
        let ports = wanted_ports(["22/tcp", "8188", "53/udp", "8888/tcp", "0/tcp", "x/tcp", "9/sctp"]);
        let (http, tcp, udp) = (PortKind::Http, PortKind::Tcp, PortKind::Udp);
        assert_eq!(ports, [(http, 8888), (tcp, 23), (tcp, 22), (http, 8188), (udp, 53)]);
        let many: Vec<String> = (1000..2000).map(|port| port.to_string()).collect();
        assert_eq!(wanted_ports(many.iter().map(String::as_str)).len(), 11);
    }
}
