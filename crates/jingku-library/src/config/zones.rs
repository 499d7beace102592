//! Regions and zones of this installation.

use jingku_protocol::ParamError;
use jingku_protocol::actions::Place;
use serde::{Deserialize, Serialize};

/// A zone, as declared in the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Zone {
    /// The region it belongs to, such as `cn-wlcb`.
    pub region: String,
    /// Its name, such as `cn-wlcb-01`.
    pub zone: String,
    /// The region's number.
    pub region_id: i64,
    /// The zone's number.
    pub zone_id: i64,
    /// The region's name for people.
    pub name: String,
}

/// All zones; the first is the default.
#[derive(Clone, Debug)]
pub struct Zones(pub(super) Vec<Zone>);

impl Default for Zones {
    /// The zones of the real service that are publicly known.
    fn default() -> Self {
        let zone = |region: &str, zone: &str, region_id, zone_id, name: &str| Zone {
            region: region.to_owned(),
            zone: zone.to_owned(),
            region_id,
            zone_id,
            name: name.to_owned(),
        };
        Self(vec![
            zone("cn-wlcb", "cn-wlcb-01", 1_000_018, 10027, "华北二"),
            zone("cn-sh2", "cn-sh2-02", 1_000_009, 8200, "上海二"),
            zone("cn-bj2", "cn-bj2-03", 1_000_001, 5001, "北京二"),
        ])
    }
}

impl Zones {
    /// All zones, the default first.
    pub fn iter(&self) -> impl Iterator<Item = &Zone> {
        self.0.iter()
    }

    /// The zone of this name.
    pub fn find(&self, name: &str) -> Option<&Zone> {
        self.0.iter().find(|zone| zone.zone == name)
    }

    /// Validates the place of a request and returns its zones; `None` for all.
    pub fn resolve(&self, place: &Place) -> Result<Option<Vec<&str>>, ParamError> {
        let not_available = |name: &str| ParamError::NotAvailable(name.to_owned());
        if place.region.is_none() && place.zone.is_none() {
            return Ok(None);
        }
        let in_region = |zone: &&Zone| place.region.as_ref().is_none_or(|region| zone.region == **region);
        let mut zones: Vec<&str> = self.0.iter().filter(in_region).map(|zone| zone.zone.as_str()).collect();
        if zones.is_empty() {
            return Err(not_available("Region"));
        }
        if let Some(name) = &place.zone {
            zones.retain(|zone| **zone == **name);
        }
        if zones.is_empty() { Err(not_available("Zone")) } else { Ok(Some(zones)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_optional_known_and_consistent() {
        let zones = Zones::default();
        let resolve = |region: &str, zone: &str| {
            let filled = |text: &str| (!text.is_empty()).then(|| text.into());
            zones.resolve(&Place { region: filled(region), zone: filled(zone) })
        };
        let bad = |name: &str| Err(ParamError::NotAvailable(name.to_owned()));
        assert_eq!(resolve("", ""), Ok(None));
        assert_eq!(resolve("cn-wlcb", ""), Ok(Some(vec!["cn-wlcb-01"])));
        assert_eq!(resolve("", "cn-wlcb-01"), Ok(Some(vec!["cn-wlcb-01"])));
        assert_eq!(resolve("cn-wlcb", "cn-wlcb-01"), Ok(Some(vec!["cn-wlcb-01"])));
        assert_eq!(resolve("moon", ""), bad("Region"));
        assert_eq!(resolve("moon", "cn-wlcb-01"), bad("Region"));
        assert_eq!(resolve("cn-wlcb", "moon"), bad("Zone"));
        assert_eq!(resolve("cn-sh2", "cn-wlcb-01"), bad("Zone"));
        assert_eq!(resolve("CN-WLCB", ""), bad("Region"));
    }
}
