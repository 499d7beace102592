//! Requests every list as one account.

use jingku_protocol::PlatformType;
use jingku_protocol::actions::Action;
use serde_json::{Value, json};

use super::super::model::{ACCOUNTS, PLATFORM, Reach, World, ZONES};
use super::super::server::Server;
use super::super::step::{NO_GROUP, TAGS};
use super::{accounts, owned, shows};

/// A list action, its parameters and the expected reply.
type Question = (Action, Vec<(String, String)>, Value);

/// The lists to request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// The lists of images and instances.
    Images,
    /// The lists of the community.
    Community,
    /// All lists, with every filter.
    All,
}

/// Requests lists and compares them with the model.
pub(super) async fn ask(server: &Server, world: &World, who: i64, part: Part) -> Result<(), String> {
    let whole = part == Part::All;
    let mut questions = Vec::new();
    if part != Part::Community {
        questions.extend(images(world, who, whole));
    }
    if part != Part::Images {
        questions.extend(community(world, who, whole));
    }
    for (action, params, expected) in questions {
        let reply = server.ask(who, action, &params).await;
        server.check(action, &reply, &Ok(()))?;
        shows(&reply.json, &expected, &format!("{action:?} {params:?} as {who}"))?;
        if action == Action::DescribeCommunityImages && reply.json["NextToken"] != "" {
            return Err(format!("{action:?} has more than a page"));
        }
    }
    if part == Part::Images { activity(server, who).await } else { tags(server, world, who).await }
}

/// Checks that the newest entries of the audit log were made with the account's key, or without one for it.
async fn activity(server: &Server, who: i64) -> Result<(), String> {
    let reply = server.ask(who, Action::DescribeCompShareImageActivity, &owned(&[("Limit", "100")])).await;
    let rows = reply.json["ActivitySet"].as_array().ok_or("no ActivitySet")?;
    let own = server.caller(who).public_key.clone();
    let foreign = rows.iter().find(|row| row["PublicKey"] != "" && row["PublicKey"] != own.as_str());
    foreign.map_or(Ok(()), |row| Err(format!("{who} sees an entry of another account: {row}")))
}

fn page(list: &str, rows: &[Value]) -> Value {
    json!({ "TotalCount": rows.len(), list: rows })
}

fn images(world: &World, who: i64, whole: bool) -> Vec<Question> {
    let all = [("Limit", "100")];
    let mut questions = Vec::new();
    let own = world.rows(|image| image.owner == who);
    let shared = world.rows(|image| image.shares.contains_key(&who));
    let lists = [
        (Action::DescribeCompShareCustomImages, own, "ImageSet"),
        (Action::DescribeCompShareSharingImages, shared, "ImageSet"),
        (Action::DescribeFavoriteImages, world.favorite_rows(who), "ImageSet"),
        (Action::DescribeCompShareInstance, world.instance_rows(who), "UHostSet"),
    ];
    for (action, rows, list) in lists {
        questions.push((action, owned(&all), page(list, &rows)));
        if whole {
            let second: Vec<_> = rows.get(1).into_iter().collect();
            let expected = json!({ "TotalCount": rows.len(), list: second });
            questions.push((action, owned(&[("Limit", "1"), ("Offset", "1")]), expected));
        }
    }
    let trashed = world.images.iter().filter(|image| image.deleted && image.owner == who).count();
    questions.push((Action::DescribeCompShareTrashedImages, owned(&all), json!({ "TotalCount": trashed })));
    let live = world.live().filter(|image| image.owner == who).count();
    let limits = json!([{ "Used": live }, { "Used": trashed }, {}, {}, {}, {}]);
    questions.push((Action::DescribeCompShareImageUsage, vec![], json!({ "LimitSet": limits })));
    let mut platform = Vec::new();
    for platform_type in PlatformType::ALL {
        let kind = platform_type.as_str();
        let rows = world.rows(|image| image.owner == PLATFORM && image.platform_type == kind);
        if whole {
            let params = owned(&[("ImageType", kind), all[0]]);
            questions.push((Action::DescribeCompShareImages, params, page("ImageSet", &rows)));
        }
        platform.extend(rows);
    }
    questions.push((Action::DescribeCompShareImages, owned(&all), page("ImageSet", &platform)));
    if whole {
        for (zone, _) in ZONES {
            let held = |owner: i64| world.rows(|image| image.owner == owner && image.zone == zone);
            let params = owned(&[("Zone", zone), all[0]]);
            questions.push((
                Action::DescribeCompShareCustomImages,
                params.clone(),
                page("ImageSet", &held(who)),
            ));
            let shared = world.rows(|image| image.shares.contains_key(&who) && image.zone == zone);
            questions.push((Action::DescribeCompShareSharingImages, params, page("ImageSet", &shared)));
        }
        for status in ["Available", "Reviewing", "Offline"] {
            let rows = world.rows(|image| image.owner == who && format!("{:?}", image.status) == status);
            let params = owned(&[("Status", status), all[0]]);
            questions.push((Action::DescribeCompShareCustomImages, params, page("ImageSet", &rows)));
        }
    }
    questions
}

fn community(world: &World, who: i64, whole: bool) -> Vec<Question> {
    let mut questions = Vec::new();
    let mut lists = vec![
        (Action::DescribeCommunityImages, Reach::Everybody, None),
        (Action::DescribeSelfCommunityImages, Reach::Own, None),
    ];
    let targets = accounts().chain([PLATFORM, 99]).filter(|target| whole || *target == who % 4 + 1);
    for target in targets {
        lists.push((Action::DescribeUserCommunityImages, Reach::By(target), Some(target.to_string())));
    }
    for (action, reach, target) in lists {
        let target = target.as_deref().map(|target| ("TargetTopOrganizationId", target));
        let params = |filter: &[(&str, &str)]| {
            let target: Vec<_> = target.into_iter().collect();
            owned(&[&[("Limit", "100")], filter, &target].concat())
        };
        let groups = |rows: &[Value]| page("CompshareImageGroup", rows);
        questions.push((action, params(&[]), groups(&world.listed(who, reach, None, |_| true))));
        if !whole {
            continue;
        }
        for name in ["one", "sho", "环境", "OWN"] {
            let folded = name.to_lowercase();
            let rows = world.listed(who, reach, None, |group| group.name().contains(&folded));
            questions.push((action, params(&[("Name", name)]), groups(&rows)));
        }
        for author in ACCOUNTS {
            let rows = world.listed(who, reach, None, |group| group.author() == author);
            questions.push((action, params(&[("Author", author)]), groups(&rows)));
            let rows = world.listed(who, reach, None, |group| {
                group.author().contains(author) || group.name().contains(author)
            });
            questions.push((action, params(&[("FuzzySearch", author)]), groups(&rows)));
        }
        for tag in TAGS {
            let rows = world.listed(who, reach, None, |group| group.lead.tags.contains(&tag));
            questions.push((action, params(&[("Tag.0", tag)]), groups(&rows)));
        }
        for (word, free) in [("true", true), ("false", false)] {
            let rows = world.listed(who, reach, None, |group| (group.lead.price == 0) == free);
            questions.push((action, params(&[("IsFree", word)]), groups(&rows)));
        }
        for (zone, _) in ZONES {
            let rows = world.listed(who, reach, Some(zone), |_| true);
            questions.push((action, params(&[("Zone", zone)]), groups(&rows)));
        }
        for id in world.groups.keys().map(String::as_str).chain([NO_GROUP]) {
            let rows = world.listed(who, reach, None, |group| group.id == id);
            questions.push((action, params(&[("GroupId", id)]), groups(&rows)));
        }
    }
    questions
}

/// Checks that only tags of public groups are listed beside the configured ones.
async fn tags(server: &Server, world: &World, who: i64) -> Result<(), String> {
    let reply = server.ask(who, Action::DescribeCompShareImageTags, &[]).await;
    let known = reply.json["Tags"].as_array().ok_or("no Tags")?;
    let public: Vec<_> =
        world.groups.keys().filter_map(|id| world.shown(id)).filter(|group| group.public).collect();
    for tag in TAGS {
        let expected = public.iter().any(|group| group.lead.tags.contains(&tag));
        if known.iter().any(|known| known == tag) != expected {
            return Err(format!("the tag {tag} is known to {who}: {}, expected: {expected}", !expected));
        }
    }
    Ok(())
}
