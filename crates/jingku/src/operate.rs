//! The operator's commands. They open the data directory themselves, with or without a server running on it.

mod account;
mod platform;

use std::io::ErrorKind;

use jingku_service::{
    Config, Context, DataDir, Instance, Key, KeyLimits, KeyPair, NewInstance, StartError, caution_of,
};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

pub(crate) use account::account;
pub(crate) use platform::platform;

use crate::args::{Global, InstanceCommand, KeyCommand};
use crate::connection::data_dir;
use crate::errors::Localized;
use crate::failure::{Exit, Failure};
use crate::hint;
use crate::messages::tr;
use crate::output::{date, note, print, print_fields, print_json, print_table, size, warn};
use crate::serve::{environment, first_key, read_config};

/// Opens the library, which must exist: reading should not create it. The master key is not needed.
pub(crate) async fn open(global: &Global) -> Result<Context, Failure> {
    open_with(global, &Config::default()).await
}

/// Does the same with the server's configuration.
pub(crate) async fn open_with(global: &Global, config: &Config) -> Result<Context, Failure> {
    Ok(Context::open_library(&open_data_dir(global)?, config, &environment()).await?)
}

/// Opens the data directory, which must exist.
pub(crate) fn open_data_dir(global: &Global) -> Result<DataDir, Failure> {
    let path = data_dir(global)?;
    match path.metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let message = tr!("operate-no-data-dir", path = path.display().to_string());
            Err(Failure::new(Exit::NotThere, message).advise(&hint::start_a_server(global)))
        }
        Err(error) => Err(Failure::file(Exit::Fault, &path, &error)),
        Ok(_) => Ok(DataDir::open(&path)?),
    }
}

/// Opens the data directory or creates it. Account 1 is the installation's own, even if the first command on a new
/// directory is not `serve`.
async fn open_or_create(global: &Global, config: &Config) -> Result<Context, Failure> {
    let data = DataDir::open_or_create(&data_dir(global)?)?;
    data.check_served()?;
    let context = Context::open(&data, config, &environment()).await?;
    if !context.is_read_only() && context.accounts().await?.is_empty() {
        context.ensure_first_account(&data, first_key()?.as_ref()).await?;
    }
    Ok(context)
}

/// Does the same, but needs the master key only for the first account.
async fn open_or_create_without_keys(global: &Global, config: &Config) -> Result<Context, Failure> {
    let data = DataDir::open_or_create(&data_dir(global)?)?;
    match Context::open_library(&data, config, &environment()).await {
        Err(StartError::NoLibrary(_)) => open_or_create(global, config).await,
        Ok(context) if context.accounts().await?.is_empty() => open_or_create(global, config).await,
        opened => Ok(opened?),
    }
}

pub(crate) async fn key(global: &Global, command: KeyCommand) -> Result<(), Failure> {
    match command {
        KeyCommand::Create { account, name, read_only, addresses } => {
            let context = open_or_create(global, &Config::default()).await?;
            let limits = KeyLimits { read_only, addresses };
            let (pair, limits) = context.create_limited_key(account, &name, &limits).await?;
            let mut value = json!({ "AccountId": account });
            add_limits(&mut value, &limits);
            print_pair(global, &value, &pair)
        }
        KeyCommand::List { account } => {
            let keys = open(global).await?.keys(account).await?;
            if global.json {
                return print_json(&keys.iter().map(key_json).collect::<Vec<_>>());
            }
            let headings = [
                tr!("table-public-key"),
                tr!("table-account"),
                tr!("table-key-name"),
                tr!("table-created"),
                tr!("table-limits"),
            ];
            let row = |key: Key| {
                let limits = limits_text(&key);
                vec![key.public_key, key.account.0.to_string(), key.name, date(key.created_at), limits]
            };
            print_table(&headings, keys.into_iter().map(row).collect(), 4, || tr!("operate-key-none"))
        }
        KeyCommand::Revoke { public_key } => {
            open(global).await?.revoke_key(&public_key).await?;
            done(global, &json!({ "PublicKey": public_key }), &tr!("operate-key-revoked"))
        }
    }
}

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
            if let Some(caution) = caution_of(&instance) {
                warn(&caution.localized());
            }
            if global.json {
                return print_json(&instance_json(&instance));
            }
            let added =
                tr!("operate-instance-added", id = instance.id.as_str(), size = instance_size(&instance));
            print(&format!("{added}\n  {}", layers(&instance).join("\n  ")))
        }
        InstanceCommand::List => {
            let instances = open(global).await?.instances().await?;
            if global.json {
                return print_json(&instances.iter().map(instance_json).collect::<Vec<_>>());
            }
            let headings = [
                tr!("table-id"),
                tr!("table-name"),
                tr!("table-account"),
                tr!("table-zone"),
                tr!("table-size"),
                tr!("table-state"),
            ];
            let row = |instance: Instance| {
                let (size, state) = (instance_size(&instance), state(&instance));
                let account = instance.account.0.to_string();
                vec![instance.id, instance.name, account, instance.zone, size, state.to_owned()]
            };
            print_table(&headings, instances.into_iter().map(row).collect(), 1, || {
                tr!("operate-instance-none")
            })
        }
        InstanceCommand::Remove { id } => {
            open(global).await?.remove_instance(&id).await?;
            done(global, &json!({ "UHostId": id }), &tr!("operate-instance-removed"))
        }
    }
}

/// Reports that a command succeeded.
pub(crate) fn done(global: &Global, value: &Value, text: &str) -> Result<(), Failure> {
    if global.json { print_json(value) } else { print(text) }
}

/// The private key is shown only here.
fn print_pair(global: &Global, owner: &Value, pair: &KeyPair) -> Result<(), Failure> {
    let mut value = owner.clone();
    value["PublicKey"] = json!(pair.public_key);
    value["PrivateKey"] = json!(pair.private_key.expose_secret());
    if global.json {
        return print_json(&value);
    }
    let labels = [tr!("operate-account"), tr!("operate-public-key"), tr!("operate-private-key")];
    let private_key = pair.private_key.expose_secret().to_owned();
    print_fields(labels.into_iter().zip([
        owner["AccountId"].to_string(),
        pair.public_key.clone(),
        private_key,
    ]))?;
    note(&tr!("operate-key-once"));
    Ok(())
}

fn key_json(key: &Key) -> Value {
    let mut value = json!({ "PublicKey": key.public_key, "AccountId": key.account.0, "Name": key.name,
                            "CreateTime": key.created_at, "RevokeTime": key.revoked_at });
    add_limits(&mut value, &key.limits);
    value
}

fn add_limits(value: &mut Value, limits: &KeyLimits) {
    value["ReadOnly"] = json!(limits.read_only);
    value["From"] = json!(limits.addresses);
}

/// The restrictions of a key; empty if there are none.
fn limits_text(key: &Key) -> String {
    if let Some(time) = key.revoked_at {
        return tr!("operate-key-revoked-on", date = date(time));
    }
    let KeyLimits { read_only, addresses } = &key.limits;
    match (read_only, addresses.join(" ")) {
        (false, addresses) if addresses.is_empty() => String::new(),
        (true, addresses) if addresses.is_empty() => tr!("operate-key-read-only"),
        (false, addresses) => tr!("operate-key-from", addresses = addresses),
        (true, addresses) => tr!("operate-key-read-only-from", addresses = addresses),
    }
}

fn instance_json(instance: &Instance) -> Value {
    json!({ "UHostId": instance.id, "Name": instance.name, "AccountId": instance.account.0,
            "Region": instance.region, "Zone": instance.zone, "State": state(instance),
            "CompShareImageId": instance.started_from.as_ref().map_or("", |from| &from.image_id),
            "Bytes": instance.size_bytes, "GpuType": instance.gpu_type, "CreateTime": instance.created_at,
            "Disk": serde_json::from_str::<Value>(&instance.disk).unwrap_or_default() })
}

fn state(instance: &Instance) -> &'static str {
    if instance.image_in_making.is_some() { "ImageMaking" } else { "Stopped" }
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
