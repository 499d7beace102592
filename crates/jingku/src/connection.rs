//! The address of the API and the key pair: from options, then variables, then a profile, then the data directory.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use compshare::{Client, Config};
use jingku_library::{DataDir, read_text};

use crate::args::{ConnectionArgs, Global, Settings};
use crate::base_url;
use crate::failure::{Exit, Failure};
use crate::hint;
use crate::messages::tr;

impl Settings {
    fn trimmed(&self) -> Self {
        Self {
            base_url: filled(self.base_url.as_deref()),
            public_key: filled(self.public_key.as_deref()),
            private_key: filled(self.private_key.as_deref()),
            region: filled(self.region.as_deref()),
            zone: filled(self.zone.as_deref()),
        }
    }
}

/// The data directory: `--data-dir`, or the default.
pub(crate) fn data_dir(global: &Global) -> Result<PathBuf, Failure> {
    if let Some(path) = &global.data_dir {
        return Ok(path.clone());
    }
    let folder = xdg("XDG_DATA_HOME", ".local/share")
        .ok_or_else(|| Failure::new(Exit::Usage, tr!("connection-no-home")))?;
    Ok(folder.join("jingku"))
}

/// The address of the server that ran last in the data directory.
pub(crate) fn last_server(global: &Global) -> Result<String, Failure> {
    let endpoint =
        if data_dir(global)?.exists() { DataDir::open(&data_dir(global)?)?.endpoint()? } else { None };
    endpoint.ok_or_else(|| {
        Failure::new(Exit::Usage, tr!("connection-no-server")).advise(&hint::start_a_server(global))
    })
}

pub(crate) struct Connection<'a> {
    pub(crate) global: &'a Global,
    pub(crate) client: Client,
    pub(crate) base_url: String,
    pub(crate) public_key: String,
    pub(crate) private_key: String,
    pub(crate) region: Option<String>,
    pub(crate) zone: Option<String>,
    /// The options that select this address again.
    origin: Vec<String>,
}

impl<'a> Connection<'a> {
    /// Builds a client from the arguments. clap has already merged the environment into them.
    pub(crate) fn open(global: &'a Global, args: &ConnectionArgs) -> Result<Self, Failure> {
        let (given, profile_name) = (args.settings.trimmed(), filled(args.profile.as_deref()));
        let kept = match (&profile_name, &given) {
            (Some(name), _) => profile(name)?,
            // The directory need not exist.
            (None, Settings { base_url: Some(_), public_key: Some(_), private_key: Some(_), .. }) => {
                Settings::default()
            }
            (None, _) => local(&data_dir(global)?)?,
        };
        let origin = [("--profile", &profile_name), ("--base-url", &given.base_url)]
            .into_iter()
            .filter_map(|(flag, value)| Some([flag.to_owned(), value.clone()?]))
            .flatten()
            .collect();
        // Without an address there is probably no server yet, whatever else is missing.
        let base_url = given.base_url.or(kept.base_url).ok_or_else(|| {
            Failure::new(Exit::Usage, tr!("connection-no-server")).advise(&hint::start_a_server(global))
        })?;
        let base_url = base_url::check(&base_url)?;
        let public_key = key(given.public_key.or(kept.public_key), "public-key")?;
        let private_key = key(given.private_key.or(kept.private_key), "private-key")?;
        let (region, zone) = (given.region.or(kept.region), given.zone.or(kept.zone));
        let mut config = Config::new(public_key.clone(), private_key.clone());
        config.base_url.clone_from(&base_url);
        (config.region, config.zone) = (region.clone(), zone.clone());
        let client = Client::new(config)?;
        Ok(Self { global, client, base_url, public_key, private_key, region, zone, origin })
    }

    /// A command line that reaches the same API. It omits the key pair, which should not appear on a screen.
    pub(crate) fn command(&self, words: &[&str]) -> String {
        let origin = self.origin.iter().map(String::as_str);
        hint::command(self.global, &words.iter().copied().chain(origin).collect::<Vec<_>>())
    }

    pub(crate) fn explain(&self, failure: Failure) -> Failure {
        if !failure.unreachable {
            return failure;
        }
        let failure = failure.advise(&tr!("connection-unreachable", base_url = self.base_url));
        if self.origin.is_empty() { failure.advise(&hint::start_a_server(self.global)) } else { failure }
    }
}

/// A key that is set. One that was copied with a line break is refused.
fn key(value: Option<String>, name: &str) -> Result<String, Failure> {
    let refused = |message| Failure::new(Exit::Credentials, message);
    let key = value.ok_or_else(|| {
        let variable = format!("JINGKU_{}", name.to_ascii_uppercase().replace('-', "_"));
        refused(tr!("connection-key-missing", key = name, variable))
    })?;
    if key.contains(char::is_control) {
        return Err(refused(tr!("connection-key-control", key = name)));
    }
    Ok(key)
}

/// A value without surrounding white space, such as the `\r` of a Windows file. An empty value, as from an empty
/// variable, counts as unset.
fn filled(value: Option<&str>) -> Option<String> {
    value.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Reads a section of `profiles.toml` in the XDG configuration directory.
fn profile(name: &str) -> Result<Settings, Failure> {
    let folder = xdg("XDG_CONFIG_HOME", ".config")
        .ok_or_else(|| Failure::new(Exit::Usage, tr!("connection-profiles-no-home")))?;
    let path = folder.join("jingku/profiles.toml");
    let text = read_text(&path).map_err(Failure::file(Exit::Usage, &path))?;
    let mut profiles: BTreeMap<String, Settings> = parse(&path, &text)?;
    let known = profiles.keys().map(|name| format!("[{name}]")).collect::<Vec<_>>().join(", ");
    let settings = profiles.remove(name).ok_or_else(|| {
        let message = match known.as_str() {
            "" => tr!("connection-profile-none", name, file = path),
            known => tr!("connection-profile-unknown", name, file = path, known),
        };
        Failure::new(Exit::Usage, message)
    })?;
    Ok(settings.trimmed())
}

/// Reads what a server on this machine wrote to its data directory, if it exists.
fn local(data_dir: &Path) -> Result<Settings, Failure> {
    match data_dir.metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Settings::default()),
        Err(error) => return Err(no_permission(data_dir, error)),
        Ok(_) => {}
    }
    let data = DataDir::open(data_dir)?;
    let path = data.credentials_path();
    let settings: Settings = match read_text(&path) {
        Ok(text) => parse(&path, &text)?,
        Err(error) if error.kind() == ErrorKind::NotFound => Settings::default(),
        Err(error) => return Err(no_permission(&path, error)),
    };
    Ok(Settings { base_url: data.endpoint()?, ..settings.trimmed() })
}

fn no_permission(path: &Path, error: std::io::Error) -> Failure {
    let denied = error.kind() == ErrorKind::PermissionDenied;
    let failure = Failure::file(Exit::Fault, path)(error);
    if denied { failure.advise(&tr!("connection-no-permission")) } else { failure }
}

fn parse<T: serde::de::DeserializeOwned>(path: &Path, text: &str) -> Result<T, Failure> {
    toml::from_str(text).map_err(|error| {
        let message = tr!("connection-settings-invalid", file = path, error = error.to_string());
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
