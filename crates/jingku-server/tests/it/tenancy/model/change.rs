//! The effect of a successful call.

use jingku_protocol::actions::{Action, MAX_NAME_CHARS};
use serde_json::{Value, json};

use super::{Group, Image, PLATFORM, Status, World, ZONES, account_name, bad};

/// A call that may change something.
#[derive(Clone, Debug)]
pub(in crate::tenancy) enum Call {
    Update {
        id: String,
        name: Option<&'static str>,
        tags: Option<Vec<&'static str>>,
        public: Option<bool>,
        price: Option<u32>,
        group: Option<String>,
        version: Option<&'static str>,
    },
    Publish {
        id: String,
        group: Option<String>,
        version: Option<&'static str>,
        community_name: Option<&'static str>,
        tags: Option<Vec<&'static str>>,
        price: Option<u32>,
    },
    Terminate(String),
    Share {
        id: String,
        add: Vec<i64>,
        remove: Vec<i64>,
    },
    Copy {
        id: String,
        name: Option<&'static str>,
    },
    Sync {
        id: String,
        zones: Vec<i64>,
        name: Option<&'static str>,
    },
    Create {
        instance: String,
        name: &'static str,
    },
    Favor(String),
    Unfavor(String),
    FavorImage(String),
    UnfavorImage(String),
}

/// A requested change of an image's visibility, group and version.
pub(super) struct PlacementChange<'a> {
    pub(super) public: Option<bool>,
    pub(super) group: Option<&'a str>,
    pub(super) version: Option<&'a str>,
}

impl Call {
    pub(in crate::tenancy) fn action(&self) -> Action {
        match self {
            Self::Update { .. } => Action::UpdateCompShareImage,
            Self::Publish { .. } => Action::PublishCompShareImage,
            Self::Terminate(_) => Action::TerminateCompShareCustomImage,
            Self::Share { .. } => Action::ModifyCompShareImageShareAccount,
            Self::Copy { .. } => Action::CopyCompShareCustomImage,
            Self::Sync { .. } => Action::SyncCompShareCustomImage,
            Self::Create { .. } => Action::CreateCompShareCustomImage,
            Self::Favor(_) => Action::CreateCompShareImageFavorite,
            Self::Unfavor(_) => Action::DeleteCompShareImageFavorite,
            Self::FavorImage(_) => Action::AddFavoriteImage,
            Self::UnfavorImage(_) => Action::RemoveFavoriteImage,
        }
    }
}

impl World {
    /// Applies a successful call to the model and checks its reply.
    pub(in crate::tenancy) fn carry_out(
        &mut self,
        who: i64,
        call: &Call,
        reply: &Value,
    ) -> Result<(), String> {
        let text = |name: &str| reply[name].as_str().unwrap_or_default().to_owned();
        match call {
            Call::Update { id, name, tags, public, price, group, version } => {
                let asked = (name, tags, public, price, group, version);
                if let (None, None, None, None, None, None) = asked {
                    return Ok(());
                }
                let wanted = PlacementChange { public: *public, group: group.as_deref(), version: *version };
                self.change_placement(id, &wanted, None, &text("GroupId"));
                let image = self.change(id);
                image.name = name.unwrap_or(&image.name).to_owned();
                image.tags = tags.clone().unwrap_or_else(|| image.tags.clone());
                image.price = price.unwrap_or(image.price);
                self.store_group_name_of(id);
            }
            Call::Publish { id, group, version, community_name, tags, price } => {
                let key = call_key(who, call);
                if self.change(id).is_submitted() {
                    // A repeated call gets the same reply and changes nothing.
                    let answered = [text("NewCompShareImageId"), text("GroupId")];
                    return equal(&answered, &[id.clone(), self.answers[&key].clone()]);
                }
                let wanted =
                    PlacementChange { public: Some(true), group: group.as_deref(), version: *version };
                self.change_placement(id, &wanted, *community_name, &text("GroupId"));
                let image = self.change(id);
                image.tags = tags.clone().unwrap_or_else(|| image.tags.clone());
                image.price = price.unwrap_or(0);
                let expected = [image.id.clone(), image.group.clone()];
                self.answers.insert(key, expected[1].clone());
                self.store_group_name_of(id);
                return equal(&[text("NewCompShareImageId"), text("GroupId")], &expected);
            }
            // It is already deleted.
            Call::Terminate(id) if self.image(id).is_none() => {}
            Call::Terminate(id) => {
                let image = self.change(id);
                image.deleted = true;
                image.shares.clear();
                let group = image.group.clone();
                self.store_group_name(&group);
            }
            Call::Share { id, add, remove } => return self.share(who, id, add, remove, reply),
            Call::Copy { id, name } => {
                let (key, copy) = (call_key(who, call), text("NewCompShareImageId"));
                if let Some(before) = self.copied_before(who, &key) {
                    return equal(&copy, before);
                }
                let original = &self.change(id).name.clone();
                let names = (1..).map(|number| match number {
                    1 => with_suffix(original, "-copy"),
                    _ => with_suffix(original, &format!("-copy-{number}")),
                });
                let name = match name {
                    Some(name) => (*name).to_owned(),
                    None => names.into_iter().find(|name| !self.holds_name(who, name, "")).unwrap(),
                };
                self.copy(id, &copy, who, &name, None, "");
                self.answers.insert(key, copy);
            }
            Call::Sync { id, zones, name } => {
                return self.sync(who, id, zones, *name, &call_key(who, call), reply);
            }
            Call::Create { instance, name } => {
                let id = text("CompShareImageId");
                let image = Image::new(&id, who, name, Status::Making, self.now);
                self.images.push(Image { instance: Some(instance.clone()), ..image });
            }
            Call::Favor(group) => {
                let event = self.event();
                self.favorites.entry((who, group.clone())).or_insert(event);
            }
            Call::Unfavor(group) => {
                self.favorites.remove(&(who, group.clone()));
            }
            Call::FavorImage(id) => {
                let (event, group) = (self.event(), self.change(id).group.clone());
                self.favorites.entry((who, group)).or_insert(event);
            }
            Call::UnfavorImage(id) => {
                let group = self.change(id).group.clone();
                self.favorites.remove(&(who, group));
            }
        }
        Ok(())
    }

    fn share(
        &mut self,
        who: i64,
        id: &str,
        add: &[i64],
        remove: &[i64],
        reply: &Value,
    ) -> Result<(), String> {
        let accounts = add.iter().chain(remove).copied();
        let invalid: Vec<i64> =
            accounts.filter(|account| *account == who || account_name(*account) == "nobody").collect();
        let event = self.event();
        if invalid.is_empty() {
            let shares = &mut self.change(id).shares;
            shares.retain(|account, _| !remove.contains(account));
            for account in add {
                shares.entry(*account).or_insert(event);
            }
        }
        equal(&reply["InvalidAccounts"], &json!(invalid))
    }

    fn sync(
        &mut self,
        who: i64,
        id: &str,
        zones: &[i64],
        name: Option<&str>,
        key: &str,
        reply: &Value,
    ) -> Result<(), String> {
        let original = self.change(id).clone();
        let mut expected = Vec::new();
        for (index, number) in zones.iter().enumerate() {
            let zone = ZONES.iter().find(|(zone, known)| known == number && *zone != original.zone);
            let copy_id = reply["Results"][index]["CompShareImageId"].as_str().unwrap_or_default();
            let refusal = match zone {
                None => Some(bad("TargetZoneIds")),
                Some(_) if self.copied_before(who, &format!("{key} {number}")).is_some() => {
                    equal(&copy_id, &self.answers[&format!("{key} {number}")].as_str())?;
                    None
                }
                Some((zone, _)) => {
                    let name = match name {
                        Some(name) if zones.len() == 1 => name.to_owned(),
                        name => with_suffix(name.unwrap_or(&original.name), &format!("-{zone}")),
                    };
                    if self.holds_name(who, &name, "") {
                        Some(bad("TargetImageName"))
                    } else {
                        self.copy(id, copy_id, who, &name, Some(zone), "");
                        self.answers.insert(format!("{key} {number}"), copy_id.to_owned());
                        None
                    }
                }
            };
            expected.push((*number, refusal.is_some() == copy_id.is_empty(), refusal.unwrap_or_default()));
        }
        let results = reply["Results"].as_array().ok_or("no Results")?;
        let result = |result: &Value| {
            let message = result["Message"].as_str().unwrap_or_default().to_owned();
            (result["ZoneId"].as_i64().unwrap(), true, (result["RetCode"].as_i64().unwrap(), message))
        };
        equal(&results.iter().map(result).collect::<Vec<_>>(), &expected)
    }

    /// Adds a copy of an image.
    pub(in crate::tenancy) fn copy(
        &mut self,
        id: &str,
        copy_id: &str,
        owner: i64,
        name: &str,
        zone: Option<&'static str>,
        platform_type: &'static str,
    ) {
        let original = self.change(id).clone();
        let copy = Image {
            tags: original.tags,
            zone: zone.unwrap_or(original.zone),
            copied_from: id.to_owned(),
            platform_type,
            ..Image::new(copy_id, owner, name, Status::Available, self.now)
        };
        self.images.push(copy);
    }

    fn change_placement(
        &mut self,
        id: &str,
        wanted: &PlacementChange<'_>,
        community_name: Option<&str>,
        new_group: &str,
    ) {
        let before = self.change(id).clone();
        let (group, version) = self.placement(&before, wanted).expect("the call was not refused");
        let submits = wanted.public == Some(true) && !before.is_submitted();
        let is_new = submits && group.is_empty();
        let group = if is_new { new_group.to_owned() } else { group };
        let name = match community_name {
            Some(name) => name.to_owned(),
            None if submits && !is_new && group != before.group => self.groups[&group].name.clone(),
            None => before.community_name.clone(),
        };
        let (now, event) = (self.now, self.event());
        let image = self.change(id);
        (image.group, image.version, image.community_name, image.updated) =
            (group.clone(), version, name, now);
        if submits {
            image.status = Status::Reviewing;
            image.submission = event;
            image.reason.clear();
        } else if wanted.public == Some(false) && before.is_submitted() {
            take_down(image, "");
        }
        if is_new {
            self.groups.insert(group, Group { owner: before.owner, name: String::new() });
        }
        self.store_group_name(&before.group);
    }

    /// The decision of a review; an empty reason approves.
    pub(in crate::tenancy) fn review(&mut self, id: &str, reason: &str) {
        let (now, event) = (self.now, self.event());
        let image = self.change(id);
        image.updated = now;
        if reason.is_empty() {
            (image.status, image.public) = (Status::Available, true);
            (image.published, image.publication) = (now, event);
        } else {
            take_down(image, reason);
        }
        self.store_group_name_of(id);
    }

    /// Deletes a platform image.
    pub(in crate::tenancy) fn demote(&mut self, id: &str) {
        assert_eq!(self.change(id).owner, PLATFORM);
        self.change(id).deleted = true;
    }

    /// The copy that an earlier identical call made, if it still exists. A sequence is shorter than the time for which
    /// the server recognizes repeats.
    pub(super) fn copied_before(&self, who: i64, key: &str) -> Option<&String> {
        self.answers.get(key).filter(|copy| self.own(who, copy).is_some())
    }

    pub(in crate::tenancy) fn change(&mut self, id: &str) -> &mut Image {
        self.images.iter_mut().find(|image| image.id == id && !image.deleted).expect("the image is there")
    }

    fn store_group_name_of(&mut self, id: &str) {
        let group = self.change(id).group.clone();
        self.store_group_name(&group);
    }

    /// Stores the current name of a group, which it keeps when it has no version.
    fn store_group_name(&mut self, group: &str) {
        let name = self.shown(group).map(|shown| shown.name().to_owned());
        if let (Some(name), Some(group)) = (name, self.groups.get_mut(group)) {
            group.name = name;
        }
    }
}

/// Identifies a call of an account, to recognize repeats.
pub(super) fn call_key(who: i64, call: &Call) -> String {
    format!("{who} {call:?}")
}

fn take_down(image: &mut Image, reason: &str) {
    (image.status, image.public, image.published) = (Status::Offline, false, 0);
    reason.clone_into(&mut image.reason);
}

fn with_suffix(name: &str, suffix: &str) -> String {
    let room = MAX_NAME_CHARS - suffix.chars().count();
    name.chars().take(room).chain(suffix.chars()).collect()
}

fn equal<T: PartialEq + std::fmt::Debug>(answered: &T, expected: &T) -> Result<(), String> {
    if answered == expected { Ok(()) } else { Err(format!("answered {answered:?}, expected {expected:?}")) }
}
