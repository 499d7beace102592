//! `jingku env`: prints the settings SDKs need to connect to the server.

mod sample;

use clap::ValueEnum;
use serde_json::json;

use crate::args::{EnvArgs, Global};
use crate::connection::Connection;
use crate::failure::{Exit, Failure};
use crate::hint;
use crate::messages::tr;
use crate::output::done;
use sample::Access;

pub(crate) async fn run(global: &Global, args: EnvArgs) -> Result<(), Failure> {
    let connection = Connection::open(global, &args.connection)?;
    let (region, zone) = region_and_zone(&connection).await.map_err(|failure| connection.explain(failure))?;
    let Connection { base_url, public_key, private_key, .. } = connection;
    let access = Access { base_url, public_key, private_key, region, zone };
    let text = match args.sdk {
        None => exports(&access),
        Some(sdk) => sample::of(sdk, &access),
    };
    let sdk = args.sdk.and_then(|sdk| Some(sdk.to_possible_value()?.get_name().to_owned()));
    let Access { base_url, public_key, private_key, region, zone } = &access;
    let value = json!({ "BaseUrl": base_url, "PublicKey": public_key, "PrivateKey": private_key,
                        "Region": region, "Zone": zone, "Sdk": sdk, "Text": text });
    done(global, &value, text.trim_end())
}

/// The given region and zone, or else the server's first ones: typed SDK methods require both.
async fn region_and_zone(connection: &Connection<'_>) -> Result<(String, String), Failure> {
    let (region, zone) = (&connection.region, &connection.zone);
    if let (Some(region), Some(zone)) = (region, zone) {
        return Ok((region.clone(), zone.clone()));
    }
    let request = compshare::actions::DescribeCompShareSupportZoneRequest;
    let known = connection.client.describe_comp_share_support_zone(&request).await?.zone_info;
    let is_meant = |wanted: &Option<String>, name: &str| wanted.as_ref().is_none_or(|wanted| wanted == name);
    let found =
        known.into_iter().find(|known| is_meant(region, &known.region) && is_meant(zone, &known.zone));
    let found = found.ok_or_else(|| {
        let wanted = region.as_ref().or(zone.as_ref()).map_or("", String::as_str);
        Failure::new(Exit::NotThere, tr!("env-no-zone", wanted = format!("{wanted:?}")))
    })?;
    Ok((found.region, found.zone))
}

/// Lines for `eval` in a POSIX shell, with the names that our Rust client, the CLI and the SDK samples read.
fn exports(access: &Access) -> String {
    let variables = [
        ("COMPSHARE_BASE_URL", &access.base_url),
        ("COMPSHARE_PUBLIC_KEY", &access.public_key),
        ("COMPSHARE_PRIVATE_KEY", &access.private_key),
        ("COMPSHARE_REGION", &access.region),
        ("COMPSHARE_ZONE", &access.zone),
        ("UCLOUD_PUBLIC_KEY", &access.public_key),
        ("UCLOUD_PRIVATE_KEY", &access.private_key),
    ];
    variables.map(|(name, value)| format!("export {name}={}\n", hint::quote(value.as_ref()))).concat()
}
