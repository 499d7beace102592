use jingku_catalog::{InstanceFilter, Paging};
use jingku_library::{ContainerFacts, ContainerLoad, ContainerState};
use jingku_protocol::actions as api;

use crate::call::Call;
use crate::error::Error;

/// Measures the running containers among the instances. Others, and those that the engine does not measure in time, have no
/// entry.
pub(crate) async fn run(
    call: &Call<'_>,
    request: api::GetCompShareInstanceMonitorRequest,
) -> Result<api::GetCompShareInstanceMonitorResponse, Error> {
    let zones = call.library.zones.resolve(&request.place)?;
    let ids: Vec<&str> = request.instance_ids.iter().map(|id| &**id).collect();
    let filter = InstanceFilter {
        account: Some(call.account().id),
        ids: (!ids.is_empty()).then_some(&ids),
        zones: zones.as_deref(),
    };
    let first = Paging::Offset { offset: 0, limit: u32::try_from(api::MAX_MONITORED).unwrap_or(1) };
    let rows = call.library.catalog.instances_page(filter, first).await?.items;
    let (mut ids, mut running) = (Vec::new(), Vec::new());
    for row in rows {
        if let Some(facts) = ContainerFacts::of(&row)?.filter(|facts| facts.state == ContainerState::Running)
        {
            ids.push(row.id);
            running.push(facts);
        }
    }
    let loads = call.library.container_loads(&running).await;
    let now = call.library.clock.now();
    let measured = ids.into_iter().zip(loads).filter_map(|(id, load)| Some(view(id, load?, now)));
    let data = api::MonitorData { list: Vec::new(), pod_list: measured.collect() };
    Ok(api::GetCompShareInstanceMonitorResponse { data })
}

fn view(id: String, load: ContainerLoad, now: i64) -> api::MonitoredInstance {
    let metric = |key: &str, value| api::Metric {
        metric_key: key.to_owned(),
        tags: Vec::new(),
        results: vec![api::MetricResult {
            resource_id: id.clone(),
            tag_map: None,
            values: vec![api::MetricValue { timestamp: now, value }],
        }],
    };
    let metrics = vec![
        metric("uhost_cpu_used", load.cpu_percent),
        metric("cloudwatch_memory_usage", load.memory_percent),
    ];
    api::MonitoredInstance { pod_id: id.clone(), instance_id: id, metrics }
}
