//! Everybody's questions.

use std::collections::{BTreeMap, BTreeSet};

use jingku_protocol::actions::Action;
use serde_json::Value;

use super::Stage;
use super::model::{ACCOUNTS, Image, NOWHERE, World};
use crate::support::Caller;

/// Whether an image is one that a list has.
type Seen<'a> = &'a dyn Fn(&Image) -> bool;

/// What each account is answered about an image that never was.
pub(super) struct Unseen(BTreeMap<(&'static str, i64), String>);

impl Unseen {
    pub(super) async fn of(stage: &Stage) -> Self {
        let mut answers = BTreeMap::new();
        for account in ACCOUNTS {
            for action in Action::ALL {
                if World::default().may_tell(*action, account, NOWHERE).is_some() {
                    let answer =
                        answer(stage.caller(account), *action, &about(*action, NOWHERE), NOWHERE).await;
                    answers.insert((action.name(), account), answer);
                }
            }
        }
        assert_eq!(answers.len(), ACCOUNTS.len() * 10);
        Self(answers)
    }
}

/// The bytes of an answer, but for the id that was asked for and the id of the request.
pub(super) async fn answer(caller: &Caller, action: Action, params: &[(&str, &str)], id: &str) -> String {
    let reply = caller.call(action, params).await;
    let request_id = reply.headers["x-ucloud-request-uuid"].to_str().unwrap();
    let body = String::from_utf8_lossy(&reply.body).replace(request_id, "REQUEST").replace(id, "ID");
    format!("{} {} {body}", reply.status, reply.headers["content-type"].to_str().unwrap())
}

fn about(action: Action, id: &str) -> Vec<(&str, &str)> {
    let mut params = vec![("CompShareImageId", id)];
    if action == Action::DescribeUserCommunityImages {
        params.push(("TargetTopOrganizationId", "1"));
    }
    params
}

/// Asks everything as everybody: every list, and every action that takes an image, about one. Tells how many questions
/// it were.
pub(super) async fn everything(stage: &Stage, unseen: &Unseen, world: &World, id: &str) -> u64 {
    let mut asked = 0;
    for account in ACCOUNTS {
        let caller = stage.caller(account);
        asked += lists(stage, world, account).await;
        for action in Action::ALL {
            let Some(told) = world.may_tell(*action, account, id) else { continue };
            let answer = answer(caller, *action, &about(*action, id), id).await;
            let nothing = answer == unseen.0[&(action.name(), account)];
            assert_eq!(nothing, !told, "{action:?} of {id} by {account}: {answer}\n{world:#?}");
            asked += 1;
        }
        if let Some(image) = world.own(account, id) {
            let list = Action::DescribeCompShareImageShareAccounts;
            let reply = caller.ok(list, &[("CompShareImageId", id)]).await;
            let rows = reply["AccountSet"].as_array().unwrap().iter();
            let told = rows.map(|row| row["AccountId"].as_str().unwrap().parse().unwrap());
            assert_eq!(told.collect::<BTreeSet<i64>>(), image.shares, "{id}");
            asked += 1;
        }
    }
    asked
}

async fn lists(stage: &Stage, world: &World, account: i64) -> u64 {
    let caller = stage.caller(account);
    let images: [(Action, Seen<'_>); 3] = [
        (Action::DescribeCompShareCustomImages, &|image| image.owner == account),
        (Action::DescribeCompShareSharingImages, &|image| image.shares.contains(&account)),
        (Action::DescribeCompShareImages, &|image| image.owner == 0),
    ];
    for (action, seen) in images {
        let reply = caller.ok(action, &[("Limit", "100")]).await;
        let told: BTreeSet<String> = texts(&reply["ImageSet"], "CompShareImageId");
        let expected = world.ids_where(seen);
        assert_eq!(told, expected, "{action:?} by {account}\n{world:#?}");
        assert_eq!(reply["TotalCount"], expected.len(), "{action:?} by {account}");
    }
    groups(caller, world, account, Action::DescribeCommunityImages, None, &|image| image.public).await;
    let own = |image: &Image| image.owner == account;
    groups(caller, world, account, Action::DescribeSelfCommunityImages, None, &own).await;
    for user in ACCOUNTS {
        let public = |image: &Image| image.owner == user && image.public;
        groups(caller, world, account, Action::DescribeUserCommunityImages, Some(user), &public).await;
    }
    let favorites = caller.ok(Action::DescribeFavoriteImages, &[("Limit", "100")]).await;
    let favored =
        world.favorites.iter().filter(|(who, group)| *who == account && world.is_public_group(group));
    let expected: BTreeSet<String> = favored.map(|(_, group)| group.clone()).collect();
    assert_eq!(texts(&favorites["ImageSet"], "GroupId"), expected, "favourites of {account}\n{world:#?}");
    assert_eq!(favorites["TotalCount"], expected.len());
    9
}

/// A list of groups: which, with which versions, and favoured by whom.
async fn groups(
    caller: &Caller,
    world: &World,
    account: i64,
    action: Action,
    user: Option<i64>,
    seen: Seen<'_>,
) {
    let user = user.map(|user| user.to_string());
    let mut params = vec![("Limit", "100"), ("ExcludeReadme", "true")];
    params.extend(user.as_deref().map(|user| ("TargetTopOrganizationId", user)));
    let reply = caller.ok(action, &params).await;
    let rows = reply["CompshareImageGroup"].as_array().unwrap();
    let told = texts(&reply["CompshareImageGroup"], "GroupId");
    let expected = world.groups_where(seen);
    assert_eq!(told, expected, "{action:?} by {account}\n{world:#?}");
    assert_eq!(reply["TotalCount"], expected.len(), "{action:?} by {account}");
    for row in rows {
        let group = row["GroupId"].as_str().unwrap();
        let versions = world.ids_where(|image| image.group == group && seen(image));
        assert_eq!(texts(&row["Data"], "CompShareImageId"), versions, "{action:?} by {account}\n{world:#?}");
        let favored = world.favorites.contains(&(account, group.to_owned()));
        let count = world.favorites.iter().filter(|(_, favored)| favored == group).count();
        assert_eq!((&row["IsFavorite"], &row["FavoritesCount"]), (&favored.into(), &count.into()), "{group}");
    }
}

fn texts(rows: &Value, field: &str) -> BTreeSet<String> {
    rows.as_array().unwrap().iter().map(|row| row[field].as_str().unwrap().to_owned()).collect()
}
