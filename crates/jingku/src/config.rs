//! `jingku config`: what the server would run with, and whether it could.

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};

use jingku_library::{Config, Setting};
use jingku_server::check_token;
use serde_json::{Value, json};

use crate::args::{ConfigCommand, Global, SettingArgs};
use crate::failure::{Exit, Failure, clause};
use crate::library::environment;
use crate::messages::tr;
use crate::output::{done, print, print_json};
use crate::serve;

/// Where a setting comes from.
enum Origin {
    Default,
    /// A line of the configuration file.
    File(String),
    Variable(&'static str),
    Option(&'static str),
    /// Something that this machine has.
    Machine,
}

pub(crate) async fn run(global: &Global, command: ConfigCommand) -> Result<(), Failure> {
    match command {
        ConfigCommand::Show { origin, settings } => show(global, origin, &settings),
        ConfigCommand::Check { settings } => check(global, &settings).await,
    }
}

async fn check(global: &Global, args: &SettingArgs) -> Result<(), Failure> {
    let config = serve::configure(args)?;
    serve::check(&config).await?;
    if let Some(metrics) = &config.metrics {
        check_token(metrics)
            .map_err(|error| Failure::new(Exit::Usage, tr!("config-token", error = clause(&error))))?;
    }
    done(global, &json!({ "Valid": true }), &tr!("config-valid"))
}

fn show(global: &Global, with_origin: bool, args: &SettingArgs) -> Result<(), Failure> {
    let mut config = serve::configure(args)?;
    if let Some(database) = environment().database {
        config.database = Some(database);
    }
    let file = args.config.as_deref().filter(|path| !path.as_os_str().is_empty());
    let lines = file.map(Config::lines).transpose()?.unwrap_or_default();
    let settings = config.settings().into_iter().map(|setting| {
        let origin = origin(&setting.name, &config, args, file, &lines);
        (setting, origin)
    });
    if global.json {
        return print_json(&settings.map(|(setting, origin)| in_json(setting, &origin)).collect::<Vec<_>>());
    }
    let text: Vec<String> = settings.map(|(setting, origin)| line(&setting, with_origin, &origin)).collect();
    print(&text.join("\n"))
}

fn origin(
    name: &str,
    config: &Config,
    args: &SettingArgs,
    file: Option<&Path>,
    lines: &BTreeMap<String, usize>,
) -> Origin {
    let set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
    let given = |value: Option<&str>| value.is_some_and(|value| !value.trim().is_empty());
    let either = |option, variable, value: Option<&str>| {
        let is_variable = env::var(variable).ok().as_deref() == value;
        given(value).then_some(if is_variable { Origin::Variable(variable) } else { Origin::Option(option) })
    };
    let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.to_string_lossy().into_owned());
    let before = match name {
        "listen" => either("--listen", "JINGKU_LISTEN", args.listen.as_deref()),
        "tls.certificate" => either("--tls-cert", "JINGKU_TLS_CERT", path(&args.tls_cert).as_deref()),
        "tls.key" => either("--tls-key", "JINGKU_TLS_KEY", path(&args.tls_key).as_deref()),
        "plain_http_on_public_addresses" => {
            args.plain_http_on_public_addresses.then_some(Origin::Option("--plain-http-on-public-addresses"))
        }
        "containers.engine" => given(args.engine.as_deref()).then_some(Origin::Option("--engine")),
        "database" => set("JINGKU_DATABASE").then_some(Origin::Variable("JINGKU_DATABASE")),
        _ => None,
    };
    if let Some(origin) = before {
        return origin;
    }
    if let (Some(file), Some(line)) = (file, lines.get(name)) {
        return Origin::File(format!("{}:{line}", file.display()));
    }
    match name {
        "containers.engine" if set("DOCKER_HOST") => Origin::Variable("DOCKER_HOST"),
        "containers.engine" if config.containers.engine.is_some() => Origin::Machine,
        _ => Origin::Default,
    }
}

fn in_json(Setting { name, value }: Setting, origin: &Origin) -> Value {
    let (origin, at) = match origin {
        Origin::Default => ("Default", ""),
        Origin::File(line) => ("File", line.as_str()),
        Origin::Variable(name) => ("Variable", *name),
        Origin::Option(name) => ("Option", *name),
        Origin::Machine => ("Machine", ""),
    };
    json!({ "Name": name, "Value": value, "Origin": origin, "At": at })
}

/// A line of a configuration file. A setting without a value is a comment.
fn line(setting: &Setting, with_origin: bool, origin: &Origin) -> String {
    let text = if setting.value.is_null() {
        format!("# {} =", setting.name)
    } else {
        format!("{} = {}", setting.name, toml(&setting.value))
    };
    if !with_origin {
        return text;
    }
    let origin = match origin {
        Origin::Default => tr!("config-default"),
        Origin::File(line) => line.clone(),
        Origin::Variable(name) | Origin::Option(name) => (*name).to_owned(),
        Origin::Machine => tr!("config-machine"),
    };
    format!("{text}  # {origin}")
}

/// A value in TOML, in one line. Its texts are written as in JSON.
fn toml(value: &Value) -> String {
    match value {
        Value::Array(values) => {
            format!("[{}]", values.iter().map(toml).collect::<Vec<_>>().join(", "))
        }
        Value::Object(table) => {
            let set = table.iter().filter(|(_, value)| !value.is_null());
            let fields: Vec<String> = set.map(|(name, value)| format!("{name} = {}", toml(value))).collect();
            format!("{{ {} }}", fields.join(", "))
        }
        value => value.to_string(),
    }
}
