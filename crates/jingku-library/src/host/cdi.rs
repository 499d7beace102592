//! GPUs of this machine, from its CDI specs (Container Device Interface).

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// Where engines look for specs.
pub(crate) const FOLDERS: [&str; 2] = ["/etc/cdi", "/var/run/cdi"];
/// Maximum number of specs in a folder.
const SPECS_MAX: usize = 64;
/// Maximum size of a spec, in bytes. That of eight GPUs has 100 KB.
const SPEC_BYTES_MAX: u64 = 1 << 20;
/// Maximum number of GPUs.
const GPUS_MAX: usize = 64;

/// A spec, as far as it is needed. <https://github.com/cncf-tags/container-device-interface/blob/main/SPEC.md>
#[derive(Deserialize)]
struct Spec {
    /// Vendor and class, such as `nvidia.com/gpu`.
    kind: String,
    devices: Vec<Device>,
}

#[derive(Deserialize)]
struct Device {
    name: String,
}

/// What the specs of this machine say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Specs {
    /// The CDI names of the GPUs, such as `nvidia.com/gpu=0`.
    pub(super) gpus: Vec<String>,
    /// The specs that cannot be read, and why. They name no GPUs.
    pub(super) unreadable: BTreeMap<PathBuf, String>,
}

impl Specs {
    /// Reads the specs in these folders.
    pub(super) fn read(folders: &[&Path]) -> Self {
        let (mut names, mut unreadable) = (BTreeSet::new(), BTreeMap::new());
        for path in folders.iter().flat_map(|folder| files(folder)) {
            match read_spec(&path) {
                Ok(spec) => names.extend(gpus_of(&spec)),
                Err(error) => drop(unreadable.insert(path, error.to_string())),
            }
        }
        let mut gpus: Vec<String> = names.into_iter().collect();
        // The tenth GPU comes after the ninth.
        gpus.sort_by_key(String::len);
        gpus.truncate(GPUS_MAX);
        Self { gpus, unreadable }
    }

    /// The specs that cannot be read and that an earlier reading could read, or not for another reason.
    pub(super) fn newly_unreadable<'a>(
        &'a self,
        earlier: &'a Self,
    ) -> impl Iterator<Item = (&'a PathBuf, &'a String)> {
        self.unreadable.iter().filter(|(path, why)| earlier.unreadable.get(*path) != Some(*why))
    }
}

fn files(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let is_spec =
        |path: &PathBuf| path.extension().is_some_and(|extension| extension == "json" || extension == "yaml");
    files.filter(is_spec).take(SPECS_MAX)
}

fn read_spec(path: &Path) -> io::Result<Spec> {
    let mut text = String::new();
    File::open(path)?.take(SPEC_BYTES_MAX + 1).read_to_string(&mut text)?;
    if text.len() as u64 > SPEC_BYTES_MAX {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is too large"));
    }
    // JSON is YAML.
    serde_saphyr::from_str(&text)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))
}

/// The toolkit of NVIDIA lists each GPU by index and by UUID, and all of them as `all`.
fn gpus_of(spec: &Spec) -> Vec<String> {
    if !spec.kind.ends_with("/gpu") {
        return Vec::new();
    }
    let is_index = |name: &str| name.bytes().all(|byte| byte.is_ascii_digit() || byte == b':');
    let has_indexes = spec.devices.iter().any(|device| is_index(&device.name));
    let names = spec.devices.iter().map(|device| device.name.as_str());
    let names = names.filter(|name| *name != "all" && (is_index(name) || !has_indexes));
    names.map(|name| format!("{}={name}", spec.kind)).collect()
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    const NVIDIA: &str = "\
cdiVersion: 0.5.0
kind: nvidia.com/gpu
devices:
- name: \"0\"
  containerEdits:
    deviceNodes:
    - path: /dev/nvidia0
- name: \"10\"
- name: \"9\"
- name: GPU-8dcd427f-483b-b48f-d7e5-75fb19a52b76
- name: all
containerEdits:
  env: [NVIDIA_VISIBLE_DEVICES=void]
";

    #[test]
    fn each_gpu_is_found_once() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        assert_eq!(Specs::read(&[folder.path(), Path::new("/nowhere")]), Specs::default());
        write("nvidia.yaml", NVIDIA);
        write(
            "amd.json",
            r#"{"cdiVersion": "0.6.0", "kind": "amd.com/gpu", "devices": [{"name": "all"}, {"name": "card"}]}"#,
        );
        write("net.json", r#"{"kind": "vendor.com/nic", "devices": [{"name": "0"}]}"#);
        write("broken.yaml", "kind: [");
        write("notes.txt", NVIDIA);
        write("large.json", &" ".repeat(2 << 20));
        let specs = Specs::read(&[folder.path(), folder.path()]);
        let unreadable: Vec<_> = specs.unreadable.keys().filter_map(|path| path.file_name()).collect();
        assert_eq!(unreadable, ["broken.yaml", "large.json"]);
        // A broken spec is reported once, and again when it changes.
        assert_eq!(specs.newly_unreadable(&Specs::default()).count(), 2);
        write("broken.yaml", "kind: nvidia.com/gpu");
        let again = Specs::read(&[folder.path()]);
        let changed: Vec<_> =
            again.newly_unreadable(&specs).filter_map(|(path, _)| path.file_name()).collect();
        assert_eq!(changed, ["broken.yaml"]);
        assert_eq!(
            specs.gpus,
            ["amd.com/gpu=card", "nvidia.com/gpu=0", "nvidia.com/gpu=9", "nvidia.com/gpu=10"]
        );
    }

    #[test]
    fn aliases_in_a_spec_do_not_grow_without_bound() {
        let mut text = "a0: &a0 [x, x]\n".to_owned();
        for level in 1..40 {
            writeln!(text, "a{level}: &a{level} [*a{0}, *a{0}]", level - 1).unwrap();
        }
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("bomb.yaml"), text + "kind: nvidia.com/gpu\ndevices: []\n")
            .unwrap();
        assert!(Specs::read(&[folder.path()]).gpus.is_empty());
    }
}
