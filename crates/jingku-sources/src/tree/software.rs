//! Recognises software by the files that belong to it.

use serde::{Deserialize, Serialize};

/// Frameworks by the name of their Python package, in the order in which one is reported: more than one is often there.
const FRAMEWORKS: &[(&str, &str)] = &[
    ("torch", "PyTorch"),
    ("tensorflow", "TensorFlow"),
    ("paddlepaddle_gpu", "PaddlePaddle"),
    ("paddlepaddle", "PaddlePaddle"),
    ("jax", "JAX"),
    ("mindspore", "MindSpore"),
    ("mxnet", "MXNet"),
];

/// The longest name or version, in bytes.
const TEXT_BYTES_MAX: usize = 64;

/// The software that was found. Empty fields are unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundSoftware {
    /// A machine-learning framework, such as `PyTorch`.
    pub framework: String,
    /// Its version.
    pub framework_version: String,
    /// The version of the CUDA toolkit, such as `12.1`.
    pub cuda_version: String,
    /// The version of Python, such as `3.10`.
    pub python_version: String,
    /// The operating system, such as `Ubuntu 22.04`.
    pub os_version: String,
}

/// What was seen so far.
#[derive(Debug, Default)]
pub(super) struct Software {
    /// The place in [`FRAMEWORKS`] and the version.
    framework: Option<(usize, String)>,
    cuda: Option<Vec<u32>>,
    python: Option<Vec<u32>>,
    os: String,
}

/// Whether the content of a file tells something.
pub(super) fn wants_content(path: &[u8]) -> bool {
    matches!(path, b"etc/os-release" | b"usr/lib/os-release")
}

impl Software {
    /// Looks at the path of an entry.
    pub(super) fn see(&mut self, path: &[u8]) {
        let Ok(path) = std::str::from_utf8(path) else { return };
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        if let Some((package, version)) =
            name.strip_suffix(".dist-info").and_then(|name| name.rsplit_once('-'))
        {
            self.see_package(package, version);
        } else if let Some(version) = name.strip_prefix("cuda-").and_then(version_of)
            && matches!(folder, "usr/local" | "opt")
        {
            self.cuda = self.cuda.take().max(Some(version));
        } else if let Some(version) = name.strip_prefix("python").and_then(version_of)
            && (folder == "bin" || folder.ends_with("/bin"))
            && version.len() == 2
        {
            self.python = self.python.take().max(Some(version));
        }
    }

    fn see_package(&mut self, package: &str, version: &str) {
        let package = package.to_ascii_lowercase().replace('-', "_");
        let Some(rank) = FRAMEWORKS.iter().position(|(name, _)| *name == package) else { return };
        if !is_short_text(version) {
            return;
        }
        if self.framework.as_ref().is_none_or(|(found, _)| rank < *found) {
            // A local version such as `+cu121` names the CUDA that the package was built for.
            let (version, local) = version.split_once('+').unwrap_or((version, ""));
            self.framework = Some((rank, version.to_owned()));
            let digits = local.strip_prefix("cu").filter(|digits| digits.len() >= 3 && digits.is_ascii());
            if let Some((major, minor)) = digits.map(|digits| digits.split_at(digits.len() - 1))
                && let Some(version) = version_of(&format!("{major}.{minor}"))
            {
                self.cuda.get_or_insert(version);
            }
        }
    }

    /// Looks at the content of a file that [`wants_content`].
    pub(super) fn read(&mut self, content: &[u8]) {
        let text = String::from_utf8_lossy(content);
        let value = |key: &str| {
            let value = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='))?;
            Some(value.trim().trim_matches(['"', '\'']).to_owned())
                .filter(|value| !value.is_empty() && is_short_text(value))
        };
        let Some(name) = value("NAME") else { return };
        // `Debian GNU/Linux` and the like are reported as `Debian`.
        let name = name.split(" GNU/").next().unwrap_or_default();
        let version = value("VERSION_ID").unwrap_or_default();
        format!("{name} {version}").trim().clone_into(&mut self.os);
    }

    pub(super) fn found(self) -> FoundSoftware {
        let (framework, framework_version) = match self.framework {
            Some((rank, version)) => (FRAMEWORKS[rank].1.to_owned(), version),
            None => Default::default(),
        };
        let dotted = |version: Option<Vec<u32>>| {
            version.unwrap_or_default().iter().map(u32::to_string).collect::<Vec<_>>().join(".")
        };
        FoundSoftware {
            framework,
            framework_version,
            cuda_version: dotted(self.cuda),
            python_version: dotted(self.python),
            os_version: self.os,
        }
    }
}

/// Whether a text can be shown and stored as a name or version.
fn is_short_text(text: &str) -> bool {
    text.len() <= TEXT_BYTES_MAX && !text.contains(char::is_control)
}

/// The numbers of a version such as `12.1`: at least two, at most four.
fn version_of(text: &str) -> Option<Vec<u32>> {
    let numbers: Option<Vec<u32>> = text.split('.').map(|number| number.parse().ok()).collect();
    numbers.filter(|numbers| (2..=4).contains(&numbers.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(paths: &[&str]) -> FoundSoftware {
        let mut software = Software::default();
        for path in paths {
            software.see(path.as_bytes());
        }
        software.found()
    }

    #[test]
    fn a_training_environment_is_recognised() {
        let found = found(&[
            "usr/bin/python3",
            "usr/bin/python3.10",
            "usr/local/cuda-12.1",
            "usr/local/lib/python3.10/dist-packages/jax-0.4.1.dist-info",
            "usr/local/lib/python3.10/dist-packages/torch-2.3.0+cu118.dist-info",
            "usr/local/lib/python3.10/dist-packages/torchvision-0.18.0.dist-info",
        ]);
        assert_eq!((&*found.framework, &*found.framework_version), ("PyTorch", "2.3.0"));
        assert_eq!((&*found.cuda_version, &*found.python_version), ("12.1", "3.10"));
    }

    #[test]
    fn a_wheel_names_its_cuda_where_no_toolkit_is() {
        let found = found(&["opt/conda/lib/python3.12/site-packages/torch-2.6.0+cu126.dist-info"]);
        assert_eq!(found.cuda_version, "12.6");
    }

    #[test]
    fn the_system_is_read_from_os_release() {
        let mut software = Software::default();
        software.read(b"PRETTY_NAME=\"Debian\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\n");
        assert_eq!(software.found().os_version, "Debian 12");
    }
}
