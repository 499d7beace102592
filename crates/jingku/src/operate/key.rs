//! `jingku key`: key pairs and their restrictions.

use jingku_library::{Config, Key, KeyLimits, KeyPair};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::args::{Global, KeyCommand};
use crate::failure::Failure;
use crate::library::{open, open_or_create};
use crate::messages::tr;
use crate::output::{Listing, date, done, note, print_fields, print_json};

pub(crate) async fn key(global: &Global, command: KeyCommand) -> Result<(), Failure> {
    match command {
        KeyCommand::Create { account, name, read_only, addresses } => {
            let context = open_or_create(global, &Config::default()).await?;
            let limits = KeyLimits { read_only, addresses };
            let (pair, limits) = context.create_key(account, &name, &limits).await?;
            let owner =
                json!({ "AccountId": account, "ReadOnly": limits.read_only, "From": limits.addresses });
            print_pair(global, &owner, &pair)
        }
        KeyCommand::List { account } => {
            let keys = open(global).await?.keys(account).await?;
            if global.json {
                return print_json(&keys.iter().map(key_json).collect::<Vec<_>>());
            }
            Listing::of(&keys)
                .column(tr!("table-public-key"), |key| key.public_key.clone())
                .column(tr!("table-account"), |key| key.account.0.to_string())
                .column(tr!("table-key-name"), |key| key.name.clone())
                .column(tr!("table-created"), |key| date(key.created_at))
                .column(tr!("table-limits"), state_text)
                .print(4, &tr!("operate-key-none"))
        }
        KeyCommand::Restrict { public_key, read_only, addresses, none: _ } => {
            let limits = KeyLimits { read_only, addresses };
            let limits = open(global).await?.restrict_key(&public_key, &limits).await?;
            let value =
                json!({ "PublicKey": public_key, "ReadOnly": limits.read_only, "From": limits.addresses });
            done(global, &value, &tr!("operate-key-restricted", limits = limits_text(&limits)))
        }
        KeyCommand::Revoke { public_key } => {
            open(global).await?.revoke_key(&public_key).await?;
            done(global, &json!({ "PublicKey": public_key }), &tr!("operate-key-revoked"))
        }
    }
}

/// The private key is shown only here.
pub(super) fn print_pair(global: &Global, owner: &Value, pair: &KeyPair) -> Result<(), Failure> {
    let private_key = pair.private_key.expose_secret();
    if global.json {
        let mut value = owner.clone();
        value["PublicKey"] = json!(pair.public_key);
        value["PrivateKey"] = json!(private_key);
        return print_json(&value);
    }
    print_fields([
        (tr!("operate-account"), owner["AccountId"].to_string()),
        (tr!("operate-public-key"), pair.public_key.clone()),
        (tr!("operate-private-key"), private_key.to_owned()),
    ])?;
    note(&tr!("operate-key-once"));
    Ok(())
}

fn key_json(key: &Key) -> Value {
    json!({ "PublicKey": key.public_key, "AccountId": key.account.0, "Name": key.name,
            "CreateTime": key.created_at, "RevokeTime": key.revoked_at,
            "ReadOnly": key.limits.read_only, "From": key.limits.addresses })
}

/// The restrictions of a key, or when it was revoked; empty if there is nothing to say.
fn state_text(key: &Key) -> String {
    match key.revoked_at {
        Some(time) => tr!("operate-key-revoked-on", date = date(time)),
        None if key.limits == KeyLimits::default() => String::new(),
        None => limits_text(&key.limits),
    }
}

fn limits_text(limits: &KeyLimits) -> String {
    let KeyLimits { read_only, addresses } = limits;
    match (read_only, addresses.as_slice()) {
        (false, []) => tr!("operate-key-unrestricted"),
        (true, []) => tr!("operate-key-read-only"),
        (false, addresses) => tr!("operate-key-from", addresses = addresses.join(" ")),
        (true, addresses) => tr!("operate-key-read-only-from", addresses = addresses.join(" ")),
    }
}
