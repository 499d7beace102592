//! `jingku key`: key pairs and their restrictions.

use jingku_library::{Config, Key, KeyLimits, KeyPair};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::args::{Global, KeyCommand};
use crate::failure::Failure;
use crate::library::{open, open_or_create};
use crate::messages::tr;
use crate::output::{date, done, note, print_fields, print_json, print_table};

pub(crate) async fn key(global: &Global, command: KeyCommand) -> Result<(), Failure> {
    match command {
        KeyCommand::Create { account, name, read_only, addresses } => {
            let context = open_or_create(global, &Config::default()).await?;
            let limits = KeyLimits { read_only, addresses };
            let (pair, limits) = context.create_key(account, &name, &limits).await?;
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

/// The private key is shown only here.
pub(super) fn print_pair(global: &Global, owner: &Value, pair: &KeyPair) -> Result<(), Failure> {
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
