//! What a client knows about its images from the answers it got and did not get.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::home::ids;

/// Where an image may be: one place after an answer, several after a request without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Places(u8);

impl Places {
    pub(crate) const LISTED: Self = Self(1);
    pub(crate) const TRASH: Self = Self(2);
    pub(crate) const GONE: Self = Self(4);

    /// Places as a number: 1, 2 and 4, added.
    pub(crate) fn from_bits(bits: u8) -> Self {
        Self(bits)
    }

    pub(crate) fn bits(self) -> u8 {
        self.0
    }

    pub(crate) fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn hold(self, place: Self) -> bool {
        self.0 & place.0 != 0
    }
}

/// An image that a client requested.
pub(crate) struct Known {
    /// Absent if no answer came; the image is then found by its name.
    pub(crate) id: Option<String>,
    /// Unique over the whole test.
    pub(crate) name: String,
    pub(crate) places: Places,
    /// Whether it was seen as `Available`.
    pub(crate) made: bool,
    /// The seed of its bytes.
    pub(crate) content: u64,
    /// The file of an import that has not ended.
    pub(crate) imported: Option<String>,
}

/// The images that a data directory lists.
pub(crate) struct Shown {
    listed: BTreeMap<String, Value>,
    trashed: BTreeMap<String, Value>,
}

impl Shown {
    /// Reads `image list --all` and `trash list`, and asserts that they are consistent.
    pub(crate) fn of(list: &Value, trash: &Value) -> Self {
        let by_id = |images: &Value| -> BTreeMap<String, Value> {
            ids(images).into_iter().zip(images.as_array().unwrap().iter().cloned()).collect()
        };
        let (listed, trashed) = (by_id(&list["ImageSet"]), by_id(trash));
        assert_eq!(list["TotalCount"], listed.len(), "{list}");
        assert_eq!(list["ImageSet"].as_array().unwrap().len(), listed.len(), "duplicate id: {list}");
        let mut names: Vec<&Value> = listed.values().map(|image| &image["Name"]).collect();
        names.sort_by_key(ToString::to_string);
        names.dedup();
        assert_eq!(names.len(), listed.len(), "duplicate name: {list}");
        assert!(listed.keys().all(|id| !trashed.contains_key(id)), "listed and in the trash: {list} {trash}");
        Self { listed, trashed }
    }

    pub(crate) fn is_settled(&self) -> bool {
        self.listed.values().all(|image| image["Status"] != "Making")
    }

    pub(crate) fn len(&self) -> usize {
        self.listed.len()
    }

    /// Reduces the possible places of an image to the one where it is, and asserts that it was possible.
    pub(crate) fn settle(&self, known: &mut Known) {
        if known.id.is_none() {
            let named = |(_, image): &(&String, &Value)| image["Name"] == known.name.as_str();
            known.id = self.listed.iter().chain(&self.trashed).find(named).map(|(id, _)| id.clone());
        }
        let id = known.id.as_deref().unwrap_or_default();
        let place = match (self.listed.get(id), self.trashed.contains_key(id)) {
            (Some(image), _) => {
                assert_eq!(image["Status"], "Available", "{image}");
                assert_eq!(image["Name"], known.name.as_str(), "the name of an image has changed");
                known.made = true;
                Places::LISTED
            }
            (None, true) => Places::TRASH,
            (None, false) => Places::GONE,
        };
        let name = &known.name;
        assert!(known.places.hold(place), "{name} is in {place:?}, and may be in {:?}", known.places);
        known.places = place;
    }
}
