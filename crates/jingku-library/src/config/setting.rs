//! The settings in effect, one by one.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use toml::de::DeTable;

use super::{Config, ConfigError};
use crate::text_file::read_text;

/// A setting in effect.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// Its name in the configuration file, with dots: `trash.keep_days`.
    pub name: String,
    /// Its value, `Null` if it is not set. URLs have no user and password.
    pub value: Value,
}

impl Config {
    /// Every setting, in the order of their names. Tables are split into their settings, lists are not.
    pub fn settings(&self) -> Vec<Setting> {
        // The zones in effect, rather than none.
        let config = Self { zones: self.zones().0, ..self.clone() };
        let mut settings = Vec::new();
        // Only a map with other keys than texts, or a number that JSON does not have, would fail.
        split("", serde_json::to_value(&config).unwrap_or_default(), &mut settings);
        settings
    }

    /// The lines of a configuration file that set something, by the name of the setting. The first line has number 1.
    pub fn lines(path: &Path) -> Result<BTreeMap<String, usize>, ConfigError> {
        let text = read_text(path).map_err(|error| ConfigError::Unreadable(path.to_owned(), error))?;
        let table = DeTable::parse(&text).map_err(|error| ConfigError::Invalid(path.to_owned(), error))?;
        let mut lines = BTreeMap::new();
        find_lines("", table.get_ref(), &text, &mut lines);
        Ok(lines)
    }
}

fn below(table: &str, name: &str) -> String {
    if table.is_empty() { name.to_owned() } else { format!("{table}.{name}") }
}

fn split(name: &str, value: Value, settings: &mut Vec<Setting>) {
    match value {
        Value::Object(table) => {
            for (key, value) in table {
                split(&below(name, &key), value, settings);
            }
        }
        value => settings.push(Setting { name: name.to_owned(), value }),
    }
}

fn find_lines(name: &str, table: &DeTable<'_>, text: &str, lines: &mut BTreeMap<String, usize>) {
    for (key, value) in table {
        let name = below(name, key.get_ref());
        if let Some(table) = value.get_ref().as_table() {
            find_lines(&name, table, text, lines);
        } else {
            let before = text.get(..key.span().start).unwrap_or_default();
            lines.insert(name, before.matches('\n').count() + 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "listen = '[::1]:1'
strict = true
database = 'postgres://jingku:secret@db/lab?password=secret'
trash.keep_days = 3
tls = { certificate = 'a.pem', key = 'a.key' }

[limits]
images = 7
stored_bytes = '1500GB'
transfers = 4

[proxies]
trusted = ['10.0.0.0/8', '192.0.2.7']
protocol = 'proxy'

[containers.host]
cpus = 4
memory = 1000
price = 1.5
gpus = [{ type = '4090', devices = ['nvidia.com/gpu=0'], price = 2.0 }]

[[instances]]
id = 'uhost-1'
disk = '/srv/a.raw'
format = 'raw'

[telemetry]
otlp = 'http://user:secret@127.0.0.1:4318'

[cluster]
host = 'gpu-1'
address = 'http://10.0.0.1:8480'
";

    #[test]
    fn settings_are_shown_as_they_are_written() {
        let config: Config = toml::from_str(FILE).unwrap();
        let settings: BTreeMap<_, _> =
            config.settings().into_iter().map(|setting| (setting.name, setting.value)).collect();
        for (name, value) in [
            ("listen", "\"[::1]:1\""),
            ("database", "\"postgres://db/lab\""),
            ("public_url", "null"),
            ("tls.key", "\"a.key\""),
            ("trash.keep_days", "3"),
            ("audit.keep_days", "365"),
            ("limits.stored_bytes", "\"1500GB\""),
            ("limits.upload_bytes", "\"1000GB\""),
            ("proxies.protocol", "\"proxy\""),
            ("containers.host.memory", "\"1000B\""),
            ("containers.host.price", "1.5"),
            ("cluster.lease_seconds", "30"),
            ("telemetry.otlp", "\"http://127.0.0.1:4318\""),
        ] {
            assert_eq!(settings[name].to_string(), value, "{name}");
        }
        assert_eq!(settings["containers.host.gpus"][0]["price"], 2.0);
        assert_eq!(settings["zones"].as_array().unwrap().len(), 3);
        assert!(!format!("{settings:?}").contains("secret"), "{settings:?}");
    }

    /// Every line of the file belongs to a setting that is shown.
    #[test]
    fn lines_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("jingku.toml");
        std::fs::write(&path, FILE).unwrap();
        let lines = Config::lines(&path).unwrap();
        for (name, line) in [
            ("listen", 1),
            ("trash.keep_days", 4),
            ("tls.certificate", 5),
            ("limits.images", 8),
            ("containers.host.price", 19),
        ] {
            assert_eq!(lines[name], line, "{name}");
        }
        let config: Config = toml::from_str(FILE).unwrap();
        let names: Vec<String> = config.settings().into_iter().map(|setting| setting.name).collect();
        for name in lines.keys() {
            assert!(names.contains(name), "{name} is not shown: {names:?}");
        }
    }
}
