//! `jingku serve --ephemeral`: a server in memory, for tests.

use std::ffi::OsStr;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use jingku_library::{Config, Fixtures, KeyPair, Library, LoadedAccount};
use jingku_server::{Context, Edge};
use secrecy::ExposeSecret;
use serde_json::json;

use super::listen::Place;
use super::parent::Parent;
use super::session::serve_until_stopped;
use crate::args::{Global, ServeArgs};
use crate::failure::{Exit, Failure};
use crate::hint::quote;
use crate::library::{environment, first_key};
use crate::messages::tr;
use crate::output::note;

pub(super) async fn run(
    global: &Global,
    args: ServeArgs,
    config: Config,
    place: &Place,
    edge: Edge,
    parent: Option<Parent>,
) -> Result<(), Failure> {
    // A data directory given as an option would stay empty. The variable is meant for other commands.
    let asked = global.data_dir.as_deref().map(Path::as_os_str);
    if asked.is_some() && asked != std::env::var_os("JINGKU_DATA_DIR").as_deref() {
        return Err(Failure::new(Exit::Usage, tr!("serve-ephemeral-data-dir")));
    }
    let fixtures = args.fixtures.as_deref().map(Fixtures::read).transpose()?.unwrap_or_default();
    let context = if args.lab {
        Context::open_lab(&config, environment()).await?
    } else {
        Context::new(Library::open_in_memory(&config, &environment()).await?)
    };
    let accounts = context.library.load(&fixtures, first_key()?.as_ref()).await?;
    context.library.declare_instances(&config.instances).await?;
    context.remember_start().await.map_err(Failure::fault)?;

    let (listener, base_url) = place.listen().await?;
    context.set_base_url(&base_url);
    let announce = || announce(global, &base_url, &accounts, args.lab);
    serve_until_stopped(Arc::new(context), listener, edge, parent, announce, async { Ok(()) }).await
}

/// Declares the instances of a configuration in memory. Whether their accounts exist, only a data directory knows.
pub(super) async fn check(config: &Config) -> Result<(), Failure> {
    let library = Library::open_in_memory(config, &environment()).await?;
    let accounts = library.load(&Fixtures::default(), None).await?;
    let [first] = accounts.as_slice() else { return Ok(()) };
    let mut instances = config.instances.clone();
    for instance in &mut instances {
        instance.account = first.account.id.0;
    }
    Ok(library.declare_instances(&instances).await?)
}

/// The first line is only the base URL, as always; then follows what a client needs: lines for a shell, or with
/// `--json` one line for a program.
fn announce(global: &Global, base_url: &str, accounts: &[LoadedAccount], lab: bool) {
    let text =
        if global.json { json_line(base_url, accounts, lab) } else { export_lines(base_url, accounts) };
    let mut stdout = std::io::stdout().lock();
    // A closed pipe does not matter to a server.
    let _ = writeln!(stdout, "{base_url}\n{text}").and_then(|()| stdout.flush());
    note(&tr!("serve-ephemeral-note"));
}

fn json_line(base_url: &str, accounts: &[LoadedAccount], lab: bool) -> String {
    let pair = |pair: &KeyPair| json!({ "PublicKey": pair.public_key, "PrivateKey": pair.private_key.expose_secret() });
    let account = |loaded: &LoadedAccount| {
        json!({ "AccountId": loaded.account.id.0, "AccountName": loaded.account.name,
                "ProjectId": loaded.account.project_id, "Keys": loaded.keys.iter().map(pair).collect::<Vec<_>>() })
    };
    json!({ "BaseUrl": base_url, "Lab": lab, "Accounts": accounts.iter().map(account).collect::<Vec<_>>() })
        .to_string()
}

fn export_lines(base_url: &str, accounts: &[LoadedAccount]) -> String {
    let export = |name: &str, value: &str| format!("export {name}={}", quote(OsStr::new(value)));
    let mut lines = vec![export("JINGKU_BASE_URL", base_url)];
    for (index, loaded) in accounts.iter().enumerate() {
        // Pasting everything sets the first account's keys; the others are commented out.
        let sign = if index == 0 { "" } else { "# " };
        if index > 0 {
            lines.push(format!("# {} {}", loaded.account.id.0, loaded.account.name.replace('\n', " ")));
        }
        if let Some(pair) = loaded.keys.first() {
            lines.push(format!("{sign}{}", export("JINGKU_PUBLIC_KEY", &pair.public_key)));
            lines.push(format!("{sign}{}", export("JINGKU_PRIVATE_KEY", pair.private_key.expose_secret())));
        }
    }
    lines.join("\n")
}
