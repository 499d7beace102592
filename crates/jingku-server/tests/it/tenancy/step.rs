//! Random steps: what an account or the operator does.

mod params;

use jingku_library::{DiskFormat, NewInstance};
use jingku_protocol::PlatformType;
use proptest::prelude::{Just, Strategy, any, prop_oneof};

use super::model::{ACCOUNTS, Call, Image, Instance, PLATFORM, Status, World, ZONES};
use super::server::Server;
pub(super) use params::params;

/// Ids of an image, a group and an instance that never existed.
pub(super) const NO_IMAGE: &str = "compshareImage-1nowherenone";
pub(super) const NO_GROUP: &str = "9WFDPteiVhX5";
pub(super) const NO_INSTANCE: &str = "uhost-none";
/// Few values of each, so that they collide.
const NAMES: [&str; 4] = ["one", "two", "one-copy", "环境"];
pub(super) const TAGS: [&str; 3] = ["t-red", "t-green", "t-blue"];
const VERSIONS: [&str; 4] = ["v1.0", "v2.0", "beta", ""];

/// Selects one of several resources: how to look for it, and its index among those found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pick(u8, u8);

#[derive(Clone, Copy, Debug)]
enum What {
    Update,
    Publish,
    Terminate,
    Share,
    Copy,
    Sync,
    Create,
    Favor,
    Unfavor,
    FavorImage,
    UnfavorImage,
    Approve,
    Refuse,
    Promote,
    Demote,
    Start,
}

/// A random step, independent of the state it is applied to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    what: What,
    who: u8,
    on: Pick,
    group: Pick,
    name: u8,
    version: u8,
    /// Selects tags, accounts or zones.
    set: [u8; 2],
    public: u8,
    price: u8,
    seconds: u8,
}

/// A step, resolved in a state.
#[derive(Clone, Debug)]
pub(super) enum Deed {
    Call(i64, Call),
    Approve(String),
    Refuse(String),
    Promote(String, PlatformType),
    Demote(String),
    Start(i64, String),
}

impl Step {
    pub(super) fn any() -> impl Strategy<Value = Self> {
        let what = prop_oneof![
            8 => Just(What::Update),
            6 => Just(What::Publish),
            3 => Just(What::Terminate),
            7 => Just(What::Share),
            3 => Just(What::Copy),
            2 => Just(What::Sync),
            2 => Just(What::Create),
            3 => Just(What::Favor),
            2 => Just(What::Unfavor),
            2 => Just(What::FavorImage),
            1 => Just(What::UnfavorImage),
            6 => Just(What::Approve),
            2 => Just(What::Refuse),
            2 => Just(What::Promote),
            1 => Just(What::Demote),
            3 => Just(What::Start),
        ];
        let pick = || (any::<u8>(), any::<u8>()).prop_map(|(how, place)| Pick(how, place));
        let details = (0..8_u8, 0..8_u8, any::<[u8; 2]>(), 0..5_u8, 0..4_u8, 0..3_u8);
        (what, 0..4_u8, pick(), pick(), details).prop_map(|(what, who, on, group, details)| {
            let (name, version, set, public, price, seconds) = details;
            Self { what, who, on, group, name, version, set, public, price, seconds }
        })
    }

    pub(super) fn seconds(self) -> i64 {
        i64::from(self.seconds)
    }

    pub(super) fn deed(self, world: &World) -> Deed {
        let who = i64::from(self.who) + 1;
        let id = image(world, who, self.on);
        let name = chosen(&NAMES, self.name);
        let version = chosen(&VERSIONS, self.version);
        // A form cannot distinguish an empty list from an absent one.
        let tags =
            || Some(subset(&TAGS, self.set[0])).filter(|tags| self.set[1] % 2 == 1 && !tags.is_empty());
        let price = [None, None, Some(0), Some(2)][usize::from(self.price)];
        let target = (self.group.0 % 5 > 1).then(|| group(world, who, self.group));
        let call = match self.what {
            What::Update => {
                let public = [None, None, Some(true), Some(false), Some(false)][usize::from(self.public)];
                // A missing group is an error only if the call names one.
                Call::Update { id, name, tags: tags(), public, price, group: target, version }
            }
            What::Publish => Call::Publish {
                id,
                group: target,
                version: version.filter(|version| !version.is_empty()),
                community_name: name,
                tags: tags(),
                price,
            },
            What::Terminate => Call::Terminate(id),
            What::Share => {
                let accounts = [1, 2, 3, 4, 1, 2, 3, 4, PLATFORM, 99];
                let (add, remove) = (self.set[0], self.set[1]);
                let mut add = subset(&accounts[..4], add & 15 & !(1 << self.who));
                // Sometimes an invalid account.
                if self.set[0] > 220 {
                    add.push(accounts[usize::from(self.set[0]) % accounts.len()]);
                    add.dedup();
                }
                let mut remove = if remove > 128 { subset(&accounts[..4], remove & 15) } else { Vec::new() };
                if add.is_empty() && remove.is_empty() {
                    remove.push(who);
                }
                Call::Share { id, add: once(add), remove: once(remove) }
            }
            What::Copy => Call::Copy { id, name },
            What::Sync => {
                let mut zones = subset(&[ZONES[0].1, ZONES[1].1, ZONES[2].1, 77], self.set[0]);
                if zones.is_empty() {
                    zones.push(ZONES[1].1);
                }
                Call::Sync { id, zones, name }
            }
            What::Create => {
                Call::Create { instance: instance(world, who, self.on), name: name.unwrap_or(NAMES[0]) }
            }
            What::Favor => Call::Favor(group(world, who, self.group)),
            What::Unfavor => Call::Unfavor(group(world, who, self.group)),
            What::FavorImage => Call::FavorImage(id),
            What::UnfavorImage => Call::UnfavorImage(id),
            What::Approve => return Deed::Approve(waiting(world, who, self.on)),
            What::Refuse => return Deed::Refuse(waiting(world, who, self.on)),
            What::Promote => {
                let types = PlatformType::ALL;
                return Deed::Promote(id, types[usize::from(self.set[0]) % types.len()]);
            }
            What::Demote => {
                let platform = pick(world.live().filter(|image| image.owner == PLATFORM), self.on);
                return Deed::Demote(platform.map_or(id, |image| image.id.clone()));
            }
            What::Start => return Deed::Start(who, id),
        };
        Deed::Call(who, call)
    }
}

impl Deed {
    /// Executes the step on server and model, and checks its outcome.
    pub(super) async fn done(&self, server: &Server, world: &mut World) -> Result<(), String> {
        match self {
            Self::Call(who, call) => {
                let foreseen = world.foresee(*who, call);
                let mut reply = server.ask(*who, call.action(), &params(call)).await;
                server.check(call.action(), &reply, &foreseen)?;
                if foreseen.is_err() {
                    return Ok(());
                }
                if let Call::Update { id, public: Some(true), .. } = call {
                    // The reply of this call does not contain the new group's id.
                    reply.json["GroupId"] = server.caller(*who).image(id).await["GroupId"].take();
                }
                world.carry_out(*who, call, &reply.json)
            }
            Self::Approve(id) | Self::Refuse(id) => {
                let waits = world.image(id).is_some_and(|image| image.status == Status::Reviewing);
                let (reason, outcome) = match self {
                    Self::Approve(_) => ("", server.context.library.approve_image(id).await),
                    _ => ("not good", server.context.library.refuse_image(id, "not good").await),
                };
                decided(outcome.as_ref().map(drop), (!waits).then_some("NotReviewing"))?;
                if waits {
                    world.review(id, reason);
                }
                Ok(())
            }
            Self::Promote(id, platform_type) => {
                let refusal = match world.image(id) {
                    None => Some("NoImage"),
                    Some(image) if !image.status.is_whole() => Some("ImageNotWhole"),
                    Some(image) if world.holds_name(PLATFORM, &image.name, "") => Some("PlatformNameTaken"),
                    Some(_) => None,
                };
                let outcome = server.context.library.promote_image(id, *platform_type, None).await;
                decided(outcome.as_ref().map(drop), refusal)?;
                if let Ok(copy) = outcome {
                    world.copy(id, &copy.id, PLATFORM, &copy.name, None, platform_type.as_str());
                }
                Ok(())
            }
            Self::Demote(id) => {
                let there = world.own(PLATFORM, id).is_some();
                let outcome = server.context.library.demote_image(id).await;
                decided(outcome.as_ref().map(drop), (!there).then_some("NoPlatformImage"))?;
                if there {
                    world.demote(id);
                }
                Ok(())
            }
            Self::Start(who, id) => start(server, world, *who, id).await,
        }
    }

    /// The id of the image, group or instance that it names.
    pub(super) fn subject(&self) -> &str {
        match self {
            Self::Call(_, call) => match call {
                Call::Update { id, .. }
                | Call::Publish { id, .. }
                | Call::Share { id, .. }
                | Call::Copy { id, .. }
                | Call::Sync { id, .. }
                | Call::Terminate(id)
                | Call::FavorImage(id)
                | Call::UnfavorImage(id)
                | Call::Favor(id)
                | Call::Unfavor(id)
                | Call::Create { instance: id, .. } => id,
            },
            Self::Approve(id)
            | Self::Refuse(id)
            | Self::Promote(id, _)
            | Self::Demote(id)
            | Self::Start(_, id) => id,
        }
    }
}

/// Declares an instance that an account started from an image.
async fn start(server: &Server, world: &mut World, who: i64, id: &str) -> Result<(), String> {
    let refusal = match world.image(id).filter(|image| image.is_visible_to(who)) {
        None => Some("NoImageToStart"),
        Some(image) if !image.status.has_bits() => Some("NothingToStart"),
        Some(_) => None,
    };
    let instance = format!("uhost-n{:03}", world.instances.len());
    let disk = &server.disk;
    let format = Some(DiskFormat::Raw);
    let new = NewInstance { id: &instance, name: None, account: who, zone: None, disk, format, gpu_type: "" };
    let outcome = server.context.library.add_instance_from(new, id).await;
    decided(outcome.as_ref().map(drop), refusal)?;
    if refusal.is_none() {
        world.change(id).starts += 1;
        let started_from = id.to_owned();
        world.instances.push(Instance { id: instance, owner: who, started_from });
    }
    Ok(())
}

/// Checks the outcome of an operator command; errors are compared by variant name.
fn decided(outcome: Result<(), &impl std::fmt::Debug>, refusal: Option<&str>) -> Result<(), String> {
    let answered = outcome.err().map(|error| format!("{error:?}"));
    let name = answered.as_deref().map(|text| text.split(['(', ' ']).next().unwrap_or_default());
    if name == refusal { Ok(()) } else { Err(format!("came to {answered:?}, expected {refusal:?}")) }
}

fn chosen(all: &[&'static str], number: u8) -> Option<&'static str> {
    all.get(usize::from(number)).copied()
}

fn subset<T: Copy>(all: &[T], bits: u8) -> Vec<T> {
    all.iter().enumerate().filter(|(index, _)| bits >> index & 1 == 1).map(|(_, item)| *item).collect()
}

fn once(mut accounts: Vec<i64>) -> Vec<i64> {
    accounts.sort_unstable();
    accounts.dedup();
    accounts
}

fn pick<'a, T>(found: impl Iterator<Item = &'a T>, Pick(_, place): Pick) -> Option<&'a T> {
    let found: Vec<_> = found.collect();
    found.get(usize::from(place).checked_rem(found.len())?).copied()
}

/// Usually an own image; otherwise any existing, deleted or unknown one.
fn image(world: &World, who: i64, on: Pick) -> String {
    let own = |image: &&Image| image.is_own(who);
    let seen = |image: &&Image| image.is_visible_to(who) && image.owner != who;
    let found = match on.0 % 8 {
        0..4 => pick(world.images.iter().filter(own), on),
        4..6 => pick(world.images.iter().filter(seen), on),
        6 => pick(world.images.iter(), on),
        _ if on.1.is_multiple_of(4) => None,
        _ => pick(world.images.iter().filter(|image| image.deleted), on),
    };
    found.map_or(NO_IMAGE, |image| &image.id).to_owned()
}

/// Usually an image in review.
fn waiting(world: &World, who: i64, on: Pick) -> String {
    let waits = |image: &&Image| image.status == Status::Reviewing && !image.deleted;
    let found = if on.0 % 8 < 7 { pick(world.images.iter().filter(waits), on) } else { None };
    found.map_or_else(|| image(world, who, on), |image| image.id.clone())
}

fn group(world: &World, who: i64, on: Pick) -> String {
    let own = |id: &&String| world.groups[*id].owner == who;
    let found = match on.0 % 4 {
        0 => pick(world.groups.keys().filter(own), on),
        1 => pick(world.groups.keys().filter(|id| world.is_public(id)), on),
        2 => pick(world.groups.keys(), on),
        _ if on.1.is_multiple_of(4) => None,
        _ => pick(world.groups.keys().filter(own), on),
    };
    found.map_or(NO_GROUP, String::as_str).to_owned()
}

fn instance(world: &World, who: i64, on: Pick) -> String {
    let own = |instance: &&Instance| instance.owner == who;
    let found = match on.0 % 4 {
        0 | 1 => pick(world.instances.iter().filter(own), on),
        2 => pick(world.instances.iter(), on),
        _ => None,
    };
    found.map_or(NO_INSTANCE, |instance| &instance.id).to_owned()
}

/// One call of each kind that names an image; the caller sends those that are refused.
pub(super) fn calls_on(id: &str, who: i64) -> Vec<Call> {
    let id = || id.to_owned();
    let other = who % i64::try_from(ACCOUNTS.len()).unwrap() + 1;
    vec![
        Call::Update {
            id: id(),
            name: Some("taken-over"),
            tags: None,
            public: Some(true),
            price: None,
            group: None,
            version: None,
        },
        Call::Publish { id: id(), group: None, version: None, community_name: None, tags: None, price: None },
        Call::Terminate(id()),
        Call::Share { id: id(), add: vec![other], remove: Vec::new() },
        Call::Copy { id: id(), name: Some("taken-over") },
        Call::Sync { id: id(), zones: vec![ZONES[1].1], name: None },
        Call::FavorImage(id()),
        Call::UnfavorImage(id()),
    ]
}
