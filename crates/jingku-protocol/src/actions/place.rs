use crate::bind::ParamError;
use crate::params::Params;
use crate::tree::Tree;

/// Where a call is aimed. The documents call both required for most actions; the official CLI sends neither, so both
/// are optional. An empty value counts as absent: the Python SDK sends `Zone=` for an unset zone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Place {
    /// A region such as `cn-wlcb`.
    pub region: Option<String>,
    /// A zone such as `cn-wlcb-01`.
    pub zone: Option<String>,
}

impl Place {
    pub(super) fn bind(tree: &Tree) -> Result<Self, ParamError> {
        Ok(Self { region: tree.id("Region")?, zone: tree.id("Zone")? })
    }

    pub(super) fn add_to(&self, params: Params) -> Params {
        params.text("Region", self.region.as_deref()).text("Zone", self.zone.as_deref())
    }
}
