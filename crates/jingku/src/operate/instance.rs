//! `jingku instance`: the VM disks that images are created from.

use jingku_library::{ContainerFacts, Instance, NewInstance, caution_of};
use serde_json::{Value, json};

use crate::args::{Global, InstanceCommand};
use crate::errors::caution;
use crate::failure::Failure;
use crate::library::{open, open_or_create_without_keys, read_config};
use crate::messages::tr;
use crate::output::{Listing, done, print, print_json, size, warn};

pub(crate) async fn instance(global: &Global, command: InstanceCommand) -> Result<(), Failure> {
    match command {
        InstanceCommand::Add { id, disk, format, zone, account, name, gpu_type, image, config } => {
            let new = NewInstance {
                id: &id,
                name: name.as_deref(),
                account,
                zone: zone.as_deref(),
                disk: &disk,
                format,
                gpu_type: &gpu_type,
            };
            let config = read_config(config.as_deref())?;
            let context = open_or_create_without_keys(global, &config).await?;
            let instance = match &image {
                None => context.add_instance(new).await?,
                Some(image) => context.add_instance_from(new, image).await?,
            };
            if let Some(odd) = caution_of(&instance) {
                warn(&caution(&odd));
            }
            if global.json {
                return print_json(&instance_json(&instance));
            }
            let added = tr!("operate-instance-added", id = instance.id, size = instance_size(&instance));
            print(&format!("{added}\n  {}", layers(&instance).join("\n  ")))
        }
        InstanceCommand::List => {
            let instances = open(global).await?.instances().await?;
            if global.json {
                return print_json(&instances.iter().map(instance_json).collect::<Vec<_>>());
            }
            let mut listing = Listing::of(&instances).column(tr!("table-id"), |instance| instance.id.clone());
            if instances.iter().any(|instance| !instance.host.is_empty()) {
                listing = listing.column(tr!("table-host"), |instance| instance.host.clone());
            }
            listing
                .column(tr!("table-name"), |instance| instance.name.clone())
                .column(tr!("table-account"), |instance| instance.account.0.to_string())
                .column(tr!("table-zone"), |instance| instance.zone.clone())
                .column(tr!("table-size"), instance_size)
                .column(tr!("table-state"), |instance| state(instance).to_owned())
                .print(1, &tr!("operate-instance-none"))
        }
        InstanceCommand::Remove { id } => {
            open(global).await?.remove_instance(&id).await?;
            done(global, &json!({ "UHostId": id }), &tr!("operate-instance-removed"))
        }
    }
}

fn instance_json(instance: &Instance) -> Value {
    json!({ "UHostId": instance.id, "Name": instance.name, "AccountId": instance.account.0,
            "Host": instance.host, "Region": instance.region, "Zone": instance.zone, "State": state(instance),
            "InstanceType": if instance.container.is_some() { "Container" } else { "UHost" },
            "CompShareImageId": instance.started_from.as_ref().map_or("", |from| &from.image_id),
            "Bytes": instance.size_bytes, "GpuType": instance.gpu_type, "CreateTime": instance.created_at,
            "Disk": serde_json::from_str::<Value>(&instance.disk).unwrap_or_default() })
}

fn state(instance: &Instance) -> &'static str {
    // What cannot be read is shown like a machine; the server reports it.
    let container = ContainerFacts::of(instance).ok().flatten();
    ContainerFacts::state_of(instance, container.as_ref())
}

fn instance_size(instance: &Instance) -> String {
    size(instance.size_bytes.div_euclid(1 << 20))
}

/// The files that make up an instance's disk, top layer first: they are what was registered.
fn layers(instance: &Instance) -> Vec<String> {
    let disk: Value = serde_json::from_str(&instance.disk).unwrap_or_default();
    let layers = disk["layers"].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    layers.iter().map(|layer| format!("{} ({})", text(&layer["path"]), text(&layer["format"]))).collect()
}
