//! The address of the API and the key pair: from options, then variables, then a profile, then the data directory.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use compshare::{Client, Config};
use jingku_library::{DataDir, read_text};
use serde::Deserialize;

use crate::args::{ConnectionArgs, Global};
use crate::base_url;
use crate::failure::{Exit, Failure};
use crate::hint;
use crate::messages::tr;

/// The content of a section of `profiles.toml`, or of a data directory's `credentials.toml`.
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

impl Settings {
    fn trimmed(self) -> Self {
        let Self { base_url, public_key, private_key, region, zone } = self;
        let filled = |value: Option<String>| filled(value.as_ref());
        Self {
            base_url: filled(base_url),
            public_key: filled(public_key),
            private_key: filled(private_key),
            region: filled(region),
            zone: filled(zone),
        }
    }
}

impl ConnectionArgs {
    /// Whether nothing has to be read from the data directory.
    fn is_complete(&self) -> bool {
        [&self.base_url, &self.public_key, &self.private_key]
            .iter()
            .all(|value| filled(value.as_ref()).is_some())
    }
}

/// The data directory: `--data-dir`, or the default.
pub(crate) fn data_dir(global: &Global) -> Result<PathBuf, Failure> {
    if let Some(path) = &global.data_dir {
        return Ok(path.clone());
    }
    let folder = xdg("XDG_DATA_HOME", ".local/share").ok_or_else(|| {
        let message = tr!("connection-no-home");
        Failure::new(Exit::Usage, message)
    })?;
    Ok(folder.join("jingku"))
}

/// An API to talk to.
pub(crate) struct Connection {
    pub(crate) client: Client,
    pub(crate) base_url: String,
    pub(crate) public_key: String,
    pub(crate) private_key: String,
    pub(crate) region: Option<String>,
    pub(crate) zone: Option<String>,
    /// The options that select this address again.
    origin: Vec<String>,
}

impl Connection {
    /// Builds a client from the arguments. clap has already merged the environment into them.
    pub(crate) fn open(global: &Global, args: &ConnectionArgs) -> Result<Self, Failure> {
        let settings = match filled(args.profile.as_ref()) {
            Some(name) => profile(&name)?,
            // The directory need not exist.
            None if args.is_complete() => Settings::default(),
            None => local(&data_dir(global)?)?,
        };
        // Without an address there is probably no server yet, whatever else is missing.
        let base_url = filled(args.base_url.as_ref()).or(settings.base_url);
        let base_url = base_url::check(&base_url.ok_or_else(|| no_server(global))?)?;
        let key = |given: &Option<String>, kept: Option<String>, what| {
            let key = filled(given.as_ref()).or(kept).ok_or_else(|| missing(what))?;
            if key.contains(char::is_control) { Err(broken(what)) } else { Ok(key) }
        };
        let public_key = key(&args.public_key, settings.public_key, "public-key")?;
        let private_key = key(&args.private_key, settings.private_key, "private-key")?;
        let region = filled(args.region.as_ref()).or(settings.region);
        let zone = filled(args.zone.as_ref()).or(settings.zone);
        let mut config = Config::new(public_key.clone(), private_key.clone());
        config.base_url.clone_from(&base_url);
        (config.region, config.zone) = (region.clone(), zone.clone());
        let flags = [("--profile", &args.profile), ("--base-url", &args.base_url)];
        let given =
            flags.iter().filter_map(|(flag, value)| Some([(*flag).to_owned(), filled(value.as_ref())?]));
        let (client, origin) = (Client::new(config)?, given.flatten().collect());
        Ok(Self { client, base_url, public_key, private_key, region, zone, origin })
    }

    /// A command line that reaches the same API. It omits the key pair, which should not appear on a screen.
    pub(crate) fn command(&self, global: &Global, words: &[&str]) -> String {
        let origin = self.origin.iter().map(String::as_str);
        hint::command(global, &words.iter().copied().chain(origin).collect::<Vec<_>>())
    }

    /// Adds advice when no server answers.
    pub(crate) fn explain(&self, global: &Global, failure: Failure) -> Failure {
        if !failure.unreachable {
            return failure;
        }
        let nobody = tr!("connection-unreachable", base_url = self.base_url.as_str());
        let failure = failure.advise(&nobody);
        if self.origin.is_empty() { failure.advise(&hint::start_a_server(global)) } else { failure }
    }
}

fn no_server(global: &Global) -> Failure {
    let message = tr!("connection-no-server");
    Failure::new(Exit::Usage, message).advise(&hint::start_a_server(global))
}

fn missing(key: &str) -> Failure {
    let variable = format!("JINGKU_{}", key.to_ascii_uppercase().replace('-', "_"));
    let message = tr!("connection-key-missing", key = key, variable = variable);
    Failure::new(Exit::Credentials, message)
}

/// A key that was copied with a line break.
fn broken(key: &str) -> Failure {
    let message = tr!("connection-key-control", key = key);
    Failure::new(Exit::Credentials, message)
}

/// A value without surrounding white space, such as the `\r` of a Windows file. An empty value, as from an empty
/// variable, counts as unset.
fn filled(value: Option<&String>) -> Option<String> {
    value.map(|text| text.trim()).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Reads a section of `profiles.toml` in the XDG configuration directory.
fn profile(name: &str) -> Result<Settings, Failure> {
    let folder = xdg("XDG_CONFIG_HOME", ".config").ok_or_else(|| {
        let message = tr!("connection-profiles-no-home");
        Failure::new(Exit::Usage, message)
    })?;
    let path = folder.join("jingku/profiles.toml");
    let text = read_text(&path).map_err(|error| Failure::file(Exit::Usage, &path, &error))?;
    let mut profiles: BTreeMap<String, Settings> = parse(&path, &text)?;
    let known = profiles.keys().map(|name| format!("[{name}]")).collect::<Vec<_>>().join(", ");
    let settings = profiles.remove(name).ok_or_else(|| {
        let file = path.display();
        let message = match known.as_str() {
            "" => tr!("connection-profile-none", name = name, file = file.to_string()),
            known => tr!("connection-profile-unknown", name = name, file = file.to_string(), known = known),
        };
        Failure::new(Exit::Usage, message)
    })?;
    Ok(settings.trimmed())
}

/// Reads what a server on this machine wrote to its data directory, if it exists.
fn local(data_dir: &Path) -> Result<Settings, Failure> {
    match data_dir.metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Settings::default()),
        Err(error) => return Err(no_permission(data_dir, &error)),
        Ok(_) => {}
    }
    let data = DataDir::open(data_dir)?;
    let path = data.credentials_path();
    let settings: Settings = match read_text(&path) {
        Ok(text) => parse(&path, &text)?,
        Err(error) if error.kind() == ErrorKind::NotFound => Settings::default(),
        Err(error) => return Err(no_permission(&path, &error)),
    };
    Ok(Settings { base_url: data.endpoint()?, ..settings.trimmed() })
}

fn no_permission(path: &Path, error: &std::io::Error) -> Failure {
    let failure = Failure::file(Exit::Fault, path, error);
    if error.kind() == ErrorKind::PermissionDenied {
        failure.advise(&tr!("connection-no-permission"))
    } else {
        failure
    }
}

fn parse<T: serde::de::DeserializeOwned>(path: &Path, text: &str) -> Result<T, Failure> {
    toml::from_str(text).map_err(|error| {
        let message =
            tr!("connection-settings-invalid", file = path.display().to_string(), error = error.to_string());
        Failure::new(Exit::Usage, message.trim_end())
    })
}

/// A directory of the XDG base directory specification. Without `HOME`, as in many services, the user database names
/// the home directory. The `etcetera` crate is not used: it needs a home directory even where the variable names the
/// directory.
fn xdg(variable: &str, below_home: &str) -> Option<PathBuf> {
    let absolute = |path: PathBuf| path.is_absolute().then_some(path);
    let named = std::env::var_os(variable).and_then(|path| absolute(path.into()));
    named.or_else(|| Some(std::env::home_dir().and_then(absolute)?.join(below_home)))
}
