//! The parameters `Softwares` and `SoftwarePorts`.

use serde::de::Deserializer;
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};

use crate::bounded::{Word, clearable};
use crate::image::{SoftwarePort, Softwares};
use crate::list::List;

/// What is installed, as requests spell it.
#[derive(Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase")]
pub(crate) struct SoftwaresParam {
    /// The documents call the list `Application` for Create and `Applications` for Publish: both are taken.
    #[serde(default, deserialize_with = "clearable")]
    application: Option<List<Word>>,
    #[serde(default, deserialize_with = "clearable", skip_serializing)]
    applications: Option<List<Word>>,
    framework: Option<Word>,
    framework_version: Option<Word>,
    #[serde(rename = "CUDAVersion")]
    cuda_version: Option<Word>,
    python_version: Option<Word>,
    os_version: Option<Word>,
}

/// In place of the object, older clients send a text, and the official Python SDK a printed dictionary. It is ignored.
/// `read.rs` knows this newtype by its name.
#[derive(Deserialize)]
struct ObjectOrText(Option<SoftwaresParam>);

/// Reads the object; `None` when it says nothing.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Softwares>, D::Error> {
    let ObjectOrText(param) = ObjectOrText::deserialize(deserializer)?;
    let param = param.unwrap_or_default();
    let applications = param.application.or(param.applications);
    let text = |word: Option<Word>| word.map(String::from).unwrap_or_default();
    let softwares = Softwares {
        framework: text(param.framework),
        framework_version: text(param.framework_version),
        cuda_version: text(param.cuda_version),
        python_version: text(param.python_version),
        os_version: text(param.os_version),
        applications: applications.unwrap_or_default().into_iter().map(String::from).collect(),
        ..Softwares::default()
    };
    Ok(Some(softwares).filter(|softwares| *softwares != Softwares::default()))
}

#[expect(clippy::ref_option, reason = "serde calls it so")]
pub(crate) fn serialize<S: Serializer>(
    softwares: &Option<Softwares>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let Some(softwares) = softwares else { return serializer.serialize_none() };
    let word = |text: &String| Some(Word::from(text.as_str())).filter(|word| !word.is_empty());
    let applications: List<Word> = softwares.applications.iter().map(String::as_str).collect();
    serializer.serialize_some(&SoftwaresParam {
        application: Some(applications).filter(|applications| !applications.is_empty()),
        applications: None,
        framework: word(&softwares.framework),
        framework_version: word(&softwares.framework_version),
        cuda_version: word(&softwares.cuda_version),
        python_version: word(&softwares.python_version),
        os_version: word(&softwares.os_version),
    })
}

#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase")]
pub(crate) struct SoftwarePortParam {
    software: Option<Word>,
    port: u16,
}

pub(crate) fn deserialize_ports<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<SoftwarePort>, D::Error> {
    let entries = List::<SoftwarePortParam>::deserialize(deserializer)?;
    let port = |SoftwarePortParam { software, port }| SoftwarePort {
        software: software.map(String::from).unwrap_or_default(),
        port,
    };
    Ok(entries.into_iter().map(port).collect())
}
