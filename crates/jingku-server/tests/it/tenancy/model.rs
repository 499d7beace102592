//! A model of what the server stores and shows, independent of its tables.

mod change;
mod foresee;
mod groups;

use std::collections::BTreeMap;

use jingku_protocol::RetCode;
use serde_json::{Value, json};

pub(super) use change::Call;
pub(super) use groups::Reach;

/// The accounts, numbered from 1.
pub(super) const ACCOUNTS: [&str; 4] = ["ada", "bob", "cyd", "dee"];
/// Account 0, which has no key.
pub(super) const PLATFORM: i64 = 0;
/// The default zones with their numbers.
pub(super) const ZONES: [(&str, i64); 3] = [("cn-wlcb-01", 10027), ("cn-sh2-02", 8200), ("cn-bj2-03", 5001)];

/// A return code and a message.
pub(super) type Refusal = (i64, String);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Making,
    Available,
    UnAvailable,
    Reviewing,
    Offline,
}

impl Status {
    /// Whether it may be copied and published.
    pub(super) fn is_whole(self) -> bool {
        matches!(self, Self::Available | Self::Offline)
    }

    pub(super) fn has_bits(self) -> bool {
        self.is_whole() || self == Self::Reviewing
    }
}

#[derive(Clone, Debug)]
pub(super) struct Image {
    pub(super) id: String,
    pub(super) owner: i64,
    pub(super) name: String,
    pub(super) status: Status,
    pub(super) public: bool,
    pub(super) tags: Vec<&'static str>,
    /// CNY per hour.
    pub(super) price: u32,
    /// Empty for none, like the texts below.
    pub(super) group: String,
    pub(super) version: String,
    pub(super) community_name: String,
    pub(super) reason: String,
    pub(super) platform_type: &'static str,
    pub(super) copied_from: String,
    pub(super) zone: &'static str,
    pub(super) created: i64,
    pub(super) updated: i64,
    pub(super) published: i64,
    /// The event number of its last submission, or 0.
    pub(super) submission: i64,
    /// The event number of its publication, or 0.
    pub(super) publication: i64,
    /// The accounts it is shared with, and the event number of each share.
    pub(super) shares: BTreeMap<i64, i64>,
    /// Instances that were started from it.
    pub(super) starts: i64,
    /// The instance that is busy while the image is being made.
    pub(super) instance: Option<String>,
    pub(super) deleted: bool,
}

impl Image {
    pub(super) fn new(id: &str, owner: i64, name: &str, status: Status, now: i64) -> Self {
        Self {
            id: id.to_owned(),
            owner,
            name: name.to_owned(),
            status,
            public: false,
            tags: Vec::new(),
            price: 0,
            group: String::new(),
            version: String::new(),
            community_name: String::new(),
            reason: String::new(),
            platform_type: "",
            copied_from: String::new(),
            zone: ZONES[0].0,
            created: now,
            updated: now,
            published: 0,
            submission: 0,
            publication: 0,
            shares: BTreeMap::new(),
            starts: 0,
            instance: None,
            deleted: false,
        }
    }

    /// Whether it is in review or public.
    pub(super) fn is_submitted(&self) -> bool {
        self.public || self.status == Status::Reviewing
    }

    /// Whether the account can see the image.
    pub(super) fn is_visible_to(&self, account: i64) -> bool {
        let own = self.owner == account || self.owner == PLATFORM;
        !self.deleted && (own || self.public || self.shares.contains_key(&account))
    }

    pub(super) fn is_own(&self, account: i64) -> bool {
        !self.deleted && self.owner == account
    }
}

#[derive(Clone, Debug)]
pub(super) struct Instance {
    pub(super) id: String,
    pub(super) owner: i64,
    /// Empty for none.
    pub(super) started_from: String,
}

#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) owner: i64,
    /// Its last name.
    pub(super) name: String,
}

/// The state of the whole server.
#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) now: i64,
    /// In order of creation, including deleted ones.
    pub(super) images: Vec<Image>,
    pub(super) groups: BTreeMap<String, Group>,
    /// The number of events so far. Lists are sorted by event where times are equal.
    pub(super) events: i64,
    /// The copy or the group that a call created, by call: a repeated call gets the same reply.
    pub(super) answers: BTreeMap<String, String>,
    /// The event number of each favorite, by account and group.
    pub(super) favorites: BTreeMap<(i64, String), i64>,
    /// In order of declaration.
    pub(super) instances: Vec<Instance>,
}

impl World {
    pub(super) fn new(now: i64) -> Self {
        Self {
            now,
            images: Vec::new(),
            groups: BTreeMap::new(),
            events: 0,
            answers: BTreeMap::new(),
            favorites: BTreeMap::new(),
            instances: Vec::new(),
        }
    }

    /// Adds an image of the fixtures. If it was submitted, it is the first version of a group with the image's id.
    pub(super) fn seed(&mut self, mut image: Image) {
        if image.is_submitted() || image.status == Status::Offline {
            let id = image.id.clone();
            image.group.clone_from(&id);
            "v1.0".clone_into(&mut image.version);
            image.submission = self.event();
            if image.public {
                (image.published, image.publication) = (image.created, image.submission);
            }
            self.groups.insert(id.clone(), Group { owner: image.owner, name: image.name.clone() });
        }
        self.images.push(image);
    }

    /// Counts an event and returns its number.
    pub(super) fn event(&mut self) -> i64 {
        self.events += 1;
        self.events
    }

    /// An image that was not deleted.
    pub(super) fn image(&self, id: &str) -> Option<&Image> {
        self.images.iter().find(|image| image.id == id && !image.deleted)
    }

    pub(super) fn own(&self, account: i64, id: &str) -> Option<&Image> {
        self.image(id).filter(|image| image.owner == account)
    }

    pub(super) fn live(&self) -> impl Iterator<Item = &Image> {
        self.images.iter().filter(|image| !image.deleted)
    }

    pub(super) fn is_busy(&self, instance: &str) -> bool {
        self.live().any(|image| image.instance.as_deref() == Some(instance))
    }

    pub(super) fn holds_name(&self, account: i64, name: &str, except: &str) -> bool {
        self.live().any(|image| {
            image.owner == account
                && image.name == name
                && image.id != except
                && image.status != Status::UnAvailable
        })
    }

    /// How many accounts have marked a group as favorite.
    pub(super) fn favored(&self, group: &str) -> usize {
        self.favorites.keys().filter(|(_, favored)| favored == group).count()
    }

    /// The fields of an image in a list that depend on accounts.
    pub(super) fn row(&self, image: &Image, community: bool) -> Value {
        let (owner, alias) = match image.owner {
            PLATFORM => ("Official", "Official"),
            owner => (account_name(owner), if community { "Community" } else { "" }),
        };
        let kind = match image.platform_type {
            "" => "Custom",
            platform_type => platform_type,
        };
        json!({
            "CompShareImageId": image.id,
            "Name": image.name,
            "Status": format!("{:?}", image.status),
            "Visibility": i64::from(image.public),
            "Tags": image.tags,
            "Price": f64::from(image.price),
            "GroupId": image.group,
            "VersionName": image.version,
            "FavoritesCount": self.favored(&image.group),
            "CreatedCount": image.starts,
            "FailedReason": image.reason,
            "ImageType": if community { "Community" } else { kind },
            "ImageOwnerAlias": alias,
            "Author": owner,
            "Owner": { "AccountName": owner, "AccountId": image.owner.to_string() },
            "Zone": image.zone,
            "CreateTime": image.created,
            "UpdateTime": image.updated,
            "PubTime": image.published,
        })
    }

    /// The rows of a list of the images that match, newest first.
    pub(super) fn rows(&self, shown: impl Fn(&Image) -> bool) -> Vec<Value> {
        let mut shown: Vec<_> = self.live().filter(|image| shown(image)).collect();
        // A stable sort: images of the same second stay in order of creation.
        shown.sort_by_key(|image| image.created);
        shown.reverse();
        shown.into_iter().map(|image| self.row(image, false)).collect()
    }

    /// What `DescribeCompShareInstance` shows, newest first.
    pub(super) fn instance_rows(&self, account: i64) -> Vec<Value> {
        let mut own: Vec<_> = self.instances.iter().filter(|instance| instance.owner == account).collect();
        own.reverse();
        let row = |instance: &Instance| {
            let seen = self.image(&instance.started_from).filter(|image| image.is_visible_to(account));
            let kind = seen.map_or("", |image| match image.platform_type {
                "" if image.public && image.owner != account => "Community",
                "" => "Custom",
                platform_type => platform_type,
            });
            json!({
                "UHostId": instance.id,
                "State": if self.is_busy(&instance.id) { "ImageMaking" } else { "Stopped" },
                "CompShareImageId": instance.started_from,
                "CompShareImageName": seen.map_or("", |image| &image.name),
                "CompShareImageType": kind,
            })
        };
        own.into_iter().map(row).collect()
    }
}

/// The name of an account.
pub(super) fn account_name(account: i64) -> &'static str {
    usize::try_from(account - 1).ok().and_then(|index| ACCOUNTS.get(index)).copied().unwrap_or("nobody")
}

pub(super) fn not_found(id: &str) -> Refusal {
    (RetCode::ResourceNotFound.code(), format!("Resource not exist [{id}]"))
}

pub(super) fn not_ready(id: &str) -> Refusal {
    (RetCode::ImageNotAvailable.code(), format!("Image [{id}] is not available"))
}

pub(super) fn bad(param: &str) -> Refusal {
    (RetCode::ParamNotAvailable.code(), format!("Params [{param}] not available"))
}
