//! What only the image of a container has.

use jingku_catalog::BuiltContainer;
use jingku_protocol::{SoftwarePort, Softwares};
use jingku_sources::oci::{OciImage, RunConfig};
use jingku_sources::tree::Report;
use serde::Serialize;

/// What only the image of a container has.
#[derive(Debug)]
pub(super) struct Saved {
    oci: OciImage,
    report: Report,
    /// Where the files were read; empty for an imported archive.
    read_from: &'static str,
    software_ports: Vec<SoftwarePort>,
}

/// The same as texts for the catalogue.
pub(super) struct SavedTexts {
    oci: String,
    left_out: String,
    softwares: Option<String>,
    software_ports: String,
}

/// What the catalogue keeps about the files.
#[derive(Serialize)]
struct Notes<'a> {
    #[serde(flatten)]
    report: &'a Report,
    read_from: &'a str,
}

impl Saved {
    pub(super) fn new(oci: OciImage, report: Report, run: &RunConfig) -> Self {
        let software_ports = run.exposed_ports.iter().filter_map(|port| software_port(port)).collect();
        Self { oci, report, read_from: "", software_ports }
    }

    /// The same, with the place where the files were read.
    pub(super) fn read_from(self, read_from: &'static str) -> Self {
        Self { read_from, ..self }
    }

    pub(super) fn texts(&self) -> SavedTexts {
        SavedTexts {
            oci: to_json(&self.oci),
            left_out: to_json(&Notes { report: &self.report, read_from: self.read_from }),
            softwares: self.softwares().map(|softwares| to_json(&softwares)),
            software_ports: to_json(&self.software_ports),
        }
    }

    /// Tells the owner of the image that it has secrets; `None` if none were found in it.
    pub(super) fn secrets_warning(&self) -> Option<String> {
        let first = self.report.kept_secret()?;
        let count = self.report.kept_secrets_count();
        Some(format!(
            "The image may contain secrets ({count}), such as {first}; `jingku image show` lists them. Everyone who can \
             pull the image can read them: make it again with `--exclude-secrets` to leave them out."
        ))
    }

    /// The software that was found; `None` if there was none.
    fn softwares(&self) -> Option<Softwares> {
        let found = &self.report.software;
        let softwares = Softwares {
            framework: found.framework.clone(),
            framework_version: found.framework_version.clone(),
            cuda_version: found.cuda_version.clone(),
            python_version: found.python_version.clone(),
            os_version: found.os_version.clone(),
            ..Softwares::default()
        };
        Some(softwares).filter(|softwares| *softwares != Softwares::default())
    }
}

impl SavedTexts {
    pub(super) fn built(&self) -> BuiltContainer<'_> {
        BuiltContainer {
            oci: &self.oci,
            left_out: &self.left_out,
            softwares: self.softwares.as_deref(),
            software_ports: &self.software_ports,
        }
    }
}

/// A port such as `8888/tcp` as an image lists it.
fn software_port(port: &str) -> Option<SoftwarePort> {
    let port = port.strip_suffix("/tcp").unwrap_or(port).parse().ok()?;
    Some(SoftwarePort { software: String::new(), port })
}

fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("texts and numbers serialise")
}
