//! The operator's commands: they open the data folder themselves, with or without a server running on it.

use jingku_service::{Account, Config, Context, DataDir, Instance, Key, KeyPair, NewInstance};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::args::{AccountCommand, Global, InstanceCommand, KeyCommand};
use crate::connection::data_dir;
use crate::failure::Failure;
use crate::lang::tr;
use crate::output::{print, print_json, print_table, size, time};

async fn open(global: &Global) -> Result<Context, Failure> {
    let data = DataDir::open_or_create(&data_dir(global)?)?;
    Ok(Context::open(&data, &Config::default(), &crate::serve::environment()).await?)
}

pub(crate) async fn account(global: &Global, command: AccountCommand) -> Result<(), Failure> {
    let context = open(global).await?;
    match command {
        AccountCommand::Create { name } => {
            ensure_first(global, &context).await?;
            let (account, pair) = context.create_account(&name).await?;
            print_pair(global, &account_json(&account), &pair)
        }
        AccountCommand::List => {
            let accounts = context.accounts().await?;
            if global.json {
                return print_json(&accounts.iter().map(account_json).collect::<Vec<_>>());
            }
            let headings = tr(["ID", "NAME", "PROJECT", "CREATED"], ["编号", "名称", "项目", "创建时间"]);
            let row = |account: Account| {
                vec![account.id.0.to_string(), account.name, account.project_id, time(account.created_at)]
            };
            print_table(&headings, accounts.into_iter().map(row).collect())
        }
    }
}

/// Account 1 is the installation's own, also when the first command on a new folder is not `serve`.
async fn ensure_first(global: &Global, context: &Context) -> Result<(), Failure> {
    let data = DataDir::open_or_create(&data_dir(global)?)?;
    context.ensure_first_account(&data, crate::serve::first_key()?.as_ref()).await?;
    Ok(())
}

pub(crate) async fn key(global: &Global, command: KeyCommand) -> Result<(), Failure> {
    let context = open(global).await?;
    match command {
        KeyCommand::Create { account, name } => {
            let pair = context.create_key(account, &name).await?;
            print_pair(global, &json!({ "AccountId": account }), &pair)
        }
        KeyCommand::List { account } => {
            let keys = context.keys(account).await?;
            if global.json {
                return print_json(&keys.iter().map(key_json).collect::<Vec<_>>());
            }
            let headings = tr(
                ["PUBLIC KEY", "ACCOUNT", "NAME", "CREATED", "REVOKED"],
                ["公钥", "账号", "备注", "创建时间", "吊销时间"],
            );
            let row = |key: Key| {
                let revoked = key.revoked_at.map(time).unwrap_or_default();
                vec![key.public_key, key.account.0.to_string(), key.name, time(key.created_at), revoked]
            };
            print_table(&headings, keys.into_iter().map(row).collect())
        }
        KeyCommand::Revoke { public_key } => {
            context.revoke_key(&public_key).await?;
            done(global, &json!({ "PublicKey": public_key }), tr("Revoked.", "已吊销。"))
        }
    }
}

pub(crate) async fn instance(global: &Global, command: InstanceCommand) -> Result<(), Failure> {
    let context = open(global).await?;
    match command {
        InstanceCommand::Add { id, disk, format, zone, account, name, gpu_type } => {
            ensure_first(global, &context).await?;
            let new = NewInstance {
                id: &id,
                name: name.as_deref(),
                account,
                zone: zone.as_deref(),
                disk: &disk,
                format,
                gpu_type: &gpu_type,
            };
            let instance = context.add_instance(new).await?;
            if global.json {
                return print_json(&instance_json(&instance));
            }
            let layers = layers(&instance);
            print(&tr(
                format!("Added {}, {}:\n  {}", instance.id, instance_size(&instance), layers.join("\n  ")),
                format!("已登记 {}，{}：\n  {}", instance.id, instance_size(&instance), layers.join("\n  ")),
            ))
        }
        InstanceCommand::List => {
            let instances = context.instances().await?;
            if global.json {
                return print_json(&instances.iter().map(instance_json).collect::<Vec<_>>());
            }
            let headings = tr(
                ["ID", "NAME", "ACCOUNT", "ZONE", "SIZE", "STATE"],
                ["ID", "名称", "账号", "可用区", "大小", "状态"],
            );
            let row = |instance: Instance| {
                let (size, state) = (instance_size(&instance), state(&instance));
                let account = instance.account.0.to_string();
                vec![instance.id, instance.name, account, instance.zone, size, state.to_owned()]
            };
            print_table(&headings, instances.into_iter().map(row).collect())
        }
        InstanceCommand::Remove { id } => {
            context.remove_instance(&id).await?;
            done(global, &json!({ "UHostId": id }), tr("Removed.", "已移除。"))
        }
    }
}

fn done(global: &Global, value: &Value, text: &str) -> Result<(), Failure> {
    if global.json { print_json(value) } else { print(text) }
}

/// The only time the private key is shown.
fn print_pair(global: &Global, owner: &Value, pair: &KeyPair) -> Result<(), Failure> {
    let mut value = owner.clone();
    value["PublicKey"] = json!(pair.public_key);
    value["PrivateKey"] = json!(pair.private_key.expose_secret());
    if global.json {
        return print_json(&value);
    }
    let private_key = pair.private_key.expose_secret();
    print(&tr(
        format!(
            "Account      {}\nPublic key   {}\nPrivate key  {private_key}\nThe private key is not shown again.",
            owner["AccountId"], pair.public_key
        ),
        format!(
            "账号  {}\n公钥  {}\n私钥  {private_key}\n私钥不会再次显示。",
            owner["AccountId"], pair.public_key
        ),
    ))
}

fn account_json(account: &Account) -> Value {
    json!({ "AccountId": account.id.0, "AccountName": account.name, "ProjectId": account.project_id,
            "CreateTime": account.created_at })
}

fn key_json(key: &Key) -> Value {
    json!({ "PublicKey": key.public_key, "AccountId": key.account.0, "Name": key.name,
            "CreateTime": key.created_at, "RevokeTime": key.revoked_at })
}

fn instance_json(instance: &Instance) -> Value {
    json!({ "UHostId": instance.id, "Name": instance.name, "AccountId": instance.account.0,
            "Region": instance.region, "Zone": instance.zone, "State": state(instance),
            "Bytes": instance.size_bytes, "GpuType": instance.gpu_type, "CreateTime": instance.created_at,
            "Disk": serde_json::from_str::<Value>(&instance.disk).unwrap_or_default() })
}

fn state(instance: &Instance) -> &'static str {
    if instance.image_in_making.is_some() { "ImageMaking" } else { "Stopped" }
}

fn instance_size(instance: &Instance) -> String {
    size(instance.size_bytes.div_euclid(1 << 20))
}

/// The files an instance's disk is made of, top first, so that the operator sees what was pinned.
fn layers(instance: &Instance) -> Vec<String> {
    let disk: Value = serde_json::from_str(&instance.disk).unwrap_or_default();
    let layers = disk["layers"].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    layers.iter().map(|layer| format!("{} ({})", text(&layer["path"]), text(&layer["format"]))).collect()
}
