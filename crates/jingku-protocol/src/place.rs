use serde::{Deserialize, Serialize};

use crate::bounded::PlaceName;

/// Where a call is aimed. The documents call both required for most actions; the official CLI sends neither, so both
/// are optional. An empty value counts as absent: the Python SDK sends `Zone=` for an unset zone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase")]
pub struct Place {
    /// A region such as `cn-wlcb`.
    pub region: Option<PlaceName>,
    /// A zone such as `cn-wlcb-01`.
    pub zone: Option<PlaceName>,
}
