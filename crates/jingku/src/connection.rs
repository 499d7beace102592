//! Where the API is and who asks: flags, then environment, then a profile, then the server of the data folder.

use std::path::{Path, PathBuf};

use compshare::{Client, Config};
use jingku_service::DataDir;
use serde::Deserialize;

use crate::args::{ConnectionArgs, Global};
use crate::failure::{Exit, Failure};
use crate::lang::tr;

/// What a section of `profiles.toml`, or a data folder's `credentials.toml`, may hold.
// No `Debug`: it holds a private key.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Settings {
    base_url: Option<String>,
    public_key: Option<String>,
    private_key: Option<String>,
    region: Option<String>,
    zone: Option<String>,
}

/// The folder that holds everything, unless `--data-dir` says otherwise.
pub(crate) fn data_dir(global: &Global) -> Result<PathBuf, Failure> {
    if let Some(path) = &global.data_dir {
        return Ok(path.clone());
    }
    Ok(xdg("XDG_DATA_HOME", ".local/share")?.join("jingku"))
}

/// Connects as the arguments say. clap has already merged the environment into them.
pub(crate) fn client(global: &Global, args: ConnectionArgs) -> Result<Client, Failure> {
    let settings = match &args.profile {
        Some(name) => profile(name)?,
        None => local(&data_dir(global)?)?,
    };
    let missing = |what: &str| {
        let message = tr(
            format!(
                "There is no {what}. Start a server with `jingku serve`, or give --{what}, a --profile, or JINGKU_{}.",
                env_name(what)
            ),
            format!(
                "缺少 {what}。请先用 `jingku serve` 启动服务，或通过 --{what}、--profile 或环境变量 JINGKU_{} 指定。",
                env_name(what)
            ),
        );
        Failure::new(Exit::Credentials, message)
    };
    let public_key = args.public_key.or(settings.public_key).ok_or_else(|| missing("public-key"))?;
    let private_key = args.private_key.or(settings.private_key).ok_or_else(|| missing("private-key"))?;
    let mut config = Config::new(public_key, private_key);
    config.base_url = args.base_url.or(settings.base_url).ok_or_else(|| missing("base-url"))?;
    config.region = args.region.or(settings.region);
    config.zone = args.zone.or(settings.zone);
    Ok(Client::new(config)?)
}

fn env_name(flag: &str) -> String {
    flag.to_ascii_uppercase().replace('-', "_")
}

/// A section of `profiles.toml` in the XDG configuration folder.
fn profile(name: &str) -> Result<Settings, Failure> {
    let path = xdg("XDG_CONFIG_HOME", ".config")?.join("jingku/profiles.toml");
    let text = std::fs::read_to_string(&path).map_err(|error| Failure::file(&path, &error))?;
    let mut profiles: std::collections::BTreeMap<String, Settings> = parse(&path, &text)?;
    profiles.remove(name).ok_or_else(|| {
        let message = tr(
            format!("There is no profile [{name}] in {}.", path.display()),
            format!("{} 中没有 [{name}] 这一节。", path.display()),
        );
        Failure::new(Exit::Refused, message)
    })
}

/// What a server on this machine left in its data folder, if there is one.
fn local(data_dir: &Path) -> Result<Settings, Failure> {
    if !data_dir.is_dir() {
        return Ok(Settings::default());
    }
    let data = DataDir::open_or_create(data_dir)?;
    let path = data.credentials_path();
    let settings = match std::fs::read_to_string(&path) {
        Ok(text) => parse(&path, &text)?,
        Err(_) => Settings::default(),
    };
    Ok(Settings { base_url: data.endpoint(), ..settings })
}

fn parse<T: serde::de::DeserializeOwned>(path: &Path, text: &str) -> Result<T, Failure> {
    toml::from_str(text).map_err(|error| {
        let message =
            tr(format!("{} is wrong: {error}", path.display()), format!("{} 有误：{error}", path.display()));
        Failure::new(Exit::Refused, message)
    })
}

fn xdg(variable: &str, below_home: &str) -> Result<PathBuf, Failure> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute(variable).or_else(|| Some(absolute("HOME")?.join(below_home))).ok_or_else(|| {
        let message = tr("HOME is not set: give --data-dir.", "未设置 HOME：请用 --data-dir 指定目录。");
        Failure::new(Exit::Usage, message)
    })
}
