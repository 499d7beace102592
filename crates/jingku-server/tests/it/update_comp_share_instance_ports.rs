use std::collections::BTreeMap;

use jingku_catalog::PodState;
use jingku_protocol::actions::Action;
use serde_json::{Value, json};

use crate::support::{Service, creating};

const UPDATE: Action = Action::UpdateCompShareInstancePorts;

async fn ports(service: &Service, id: &str) -> Value {
    let reply = service.caller().ok(Action::DescribeCompShareInstance, &[("UHostIds.0", id)]).await;
    reply["UHostSet"][0]["Ports"].clone()
}

/// The ports of the host by kind and port.
async fn of_host(service: &Service, id: &str) -> BTreeMap<(String, i64), i64> {
    let ports = service.context.library.catalog.pod_ports(&[id]).await.unwrap();
    ports.into_iter().map(|port| ((port.kind.as_str().to_owned(), port.port), port.host_port)).collect()
}

#[tokio::test]
async fn ports_are_replaced_and_those_that_stay_keep_their_port_of_the_host() {
    let service = Service::with(creating()).await;
    let (caller, id) = (service.caller(), service.pod_in(PodState::Running).await);
    let id_param = ("UHostId", &*id);
    let before = of_host(&service, &id).await;
    for (params, expected) in [
        (
            vec![("HttpPorts.0", "8188")],
            json!({ "HttpPorts": [8188, 8888], "TcpPorts": [23], "UdpPorts": [] }),
        ),
        (
            vec![("TcpPorts.0", "22"), ("TcpPorts.1", "23"), ("UdpPorts.0", "53")],
            json!({ "HttpPorts": [8188, 8888], "TcpPorts": [22, 23], "UdpPorts": [53] }),
        ),
        (vec![], json!({ "HttpPorts": [8188, 8888], "TcpPorts": [22, 23], "UdpPorts": [53] })),
        (
            vec![("HttpPorts", ""), ("UdpPorts", "[]")],
            json!({ "HttpPorts": [8888], "TcpPorts": [22, 23], "UdpPorts": [] }),
        ),
    ] {
        for _ in 0..2 {
            let reply = caller.ok(UPDATE, &[&[id_param], &params[..]].concat()).await;
            assert_eq!(reply["UHostId"], id);
            assert_eq!(ports(&service, &id).await, expected, "{params:?}");
        }
    }
    let after = of_host(&service, &id).await;
    let kept = [("http".to_owned(), 8888), ("tcp".to_owned(), 23)];
    assert!(kept.iter().all(|port| before[port] == after[port]), "{before:?} {after:?}");
}

#[tokio::test]
async fn refusals_have_code_and_message() {
    let service = Service::with(creating()).await;
    let (caller, id) = (service.caller(), service.pod_in(PodState::Running).await);
    let id = ("UHostId", &*id);
    for (params, code, message) in [
        (vec![], 210, "Missing params [UHostId]"),
        (vec![id, ("HttpPorts.0", "0")], 230, "Params [HttpPorts] not available"),
        (vec![id, ("TcpPorts.0", "65536")], 230, "Params [TcpPorts] not available"),
        (vec![id, ("UdpPorts.x", "1")], 230, "Params [UdpPorts] not available"),
        (vec![id, ("TcpPorts.0", "8888")], 230, "Params [TcpPorts] not available"),
        (vec![("UHostId", "none")], 8039, "Resource not exist [none]"),
    ] {
        caller.assert_refused(UPDATE, &params, code, message).await;
    }
    for count in [10, 11] {
        let many: Vec<_> =
            (0..count).map(|index| (format!("HttpPorts.{index}"), (9000 + index).to_string())).collect();
        let many = many.iter().map(|(name, port)| (name.as_str(), port.as_str()));
        let params: Vec<_> = [id].into_iter().chain(many).collect();
        // With 8888, ten are eleven.
        caller.assert_refused(UPDATE, &params, 230, "Params [HttpPorts] not available").await;
    }
    caller.assert_place_is_checked(UPDATE, &[id]).await;
}
