//! What people and the operator do at random, and what comes of it.

use jingku_protocol::actions::Action;
use jingku_service::PlatformType;
use serde_json::Value;

use super::ask::answer;
use super::model::{ACCOUNTS, NOWHERE, World};
use super::{Dice, Stage};

/// Actions that change an image of one's own, each with what else it is sent.
const CHANGES: [(Action, &[(&str, &str)]); 9] = [
    (Action::ModifyCompShareImageShareAccount, &[("AddAccounts.0", "1")]),
    (Action::ModifyCompShareImageShareAccount, &[("AddAccounts.0", "2"), ("RemoveAccounts.0", "3")]),
    (Action::ModifyCompShareImageShareAccount, &[("AddAccounts.0", "3"), ("AddAccounts.1", "99")]),
    (Action::PublishCompShareImage, &[]),
    (Action::UpdateCompShareImage, &[("Visibility", "0"), ("Tags.0", "LLM")]),
    (Action::UpdateCompShareImage, &[("Visibility", "1")]),
    (Action::TerminateCompShareCustomImage, &[]),
    (Action::CopyCompShareCustomImage, &[]),
    (Action::SyncCompShareCustomImage, &[("TargetZoneIds.0", "8200")]),
];

/// Takes a step and tells which image it was about.
pub(super) async fn take(stage: &Stage, world: &mut World, dice: &mut Dice) -> String {
    let id = dice.one(&world.ids()).clone();
    let account = *dice.one(&ACCOUNTS);
    match dice.below(10) {
        0..5 => change(stage, world, dice, account, &id).await,
        5 | 6 => favor(stage, world, dice, account, &id).await,
        7 | 8 => review(stage, world, dice.below(4) > 0, &id).await,
        _ => promote(stage, world, &id).await,
    }
    id
}

async fn change(stage: &Stage, world: &mut World, dice: &mut Dice, account: i64, id: &str) {
    let (action, rest) = *dice.one(&CHANGES);
    world.names += 1;
    let name = format!("name-{}", world.names);
    let groups: Vec<String> = world.groups.iter().cloned().collect();
    let group = if dice.below(2) == 0 { Some(dice.one(&groups).as_str()) } else { None };
    let with = |id| {
        let named = if action == Action::SyncCompShareCustomImage {
            "SourceCompShareImageId"
        } else {
            "CompShareImageId"
        };
        let mut params = vec![(named, id)];
        params.extend_from_slice(rest);
        match action {
            Action::PublishCompShareImage => params.extend(group.map(|group| ("GroupId", group))),
            Action::CopyCompShareCustomImage | Action::SyncCompShareCustomImage => {
                params.push(("TargetImageName", &name));
            }
            _ => {}
        }
        params
    };
    let caller = stage.caller(account);
    let params = with(id);
    let Some(image) = world.own(account, id).cloned() else {
        let shared = world.images.get(id).is_some_and(|image| image.shares.contains(&account));
        if shared && action == Action::ModifyCompShareImageShareAccount {
            assert_eq!(caller.refusal(action, &params).await.0, 8350);
        } else {
            let told = answer(caller, action, &params, id).await;
            let nowhere = answer(caller, action, &with(NOWHERE), NOWHERE).await;
            assert_eq!(told, nowhere, "{action:?} of {id} by {account}\n{world:#?}");
        }
        return;
    };
    let reply = caller.call(action, &params).await.json;
    let done = reply["RetCode"] == 0;
    let whole = image.status == "Available" || image.status == "Offline";
    let must = match action {
        Action::ModifyCompShareImageShareAccount => image.status == "Available",
        Action::PublishCompShareImage => {
            let own = group
                .is_none_or(|group| world.images.values().any(|i| i.group == group && i.owner == account));
            whole && !image.is_out() && own
        }
        Action::TerminateCompShareCustomImage => !image.is_out(),
        Action::UpdateCompShareImage => rest[0].1 == "0" || whole || image.is_out(),
        _ => whole,
    };
    // A group that is empty now may still be the owner's: only then more is done than must be.
    let may = must || action == Action::PublishCompShareImage && whole && !image.is_out();
    assert!(done || !must, "{action:?} {params:?} by {account}: {reply}\n{world:#?}");
    assert!(!done || may, "{action:?} {params:?} by {account}: {reply}\n{world:#?}");
    if done {
        effect(world, account, id, action, rest, &reply);
    }
    if matches!(action, Action::UpdateCompShareImage | Action::PublishCompShareImage) && done {
        let row = caller.image(id).await;
        let group = row["GroupId"].as_str().unwrap().to_owned();
        world.groups.extend((!group.is_empty()).then(|| group.clone()));
        world.images.get_mut(id).unwrap().group = group;
    }
}

/// What a change of one's own image does.
fn effect(world: &mut World, account: i64, id: &str, action: Action, rest: &[(&str, &str)], reply: &Value) {
    match action {
        Action::ModifyCompShareImageShareAccount => {
            let invalid: Vec<i64> = serde_json::from_value(reply["InvalidAccounts"].clone()).unwrap();
            let named: Vec<i64> = rest.iter().map(|(_, account)| account.parse().unwrap()).collect();
            let expected: Vec<i64> =
                named.iter().copied().filter(|named| *named == account || *named == 99).collect();
            assert_eq!(invalid, expected, "{rest:?} by {account}");
            if !invalid.is_empty() {
                return;
            }
            let image = world.images.get_mut(id).unwrap();
            for ((list, _), account) in rest.iter().zip(named) {
                if list.starts_with("Add") {
                    image.shares.insert(account);
                } else {
                    image.shares.remove(&account);
                }
            }
        }
        Action::TerminateCompShareCustomImage => {
            world.images.remove(id);
            world.gone.push(id.to_owned());
        }
        Action::PublishCompShareImage => {
            "Reviewing".clone_into(&mut world.images.get_mut(id).unwrap().status);
        }
        Action::UpdateCompShareImage => {
            let image = world.images.get_mut(id).unwrap();
            if rest[0].1 == "0" && image.is_out() {
                image.public = false;
                "Offline".clone_into(&mut image.status);
            } else if rest[0].1 == "1" && !image.is_out() {
                "Reviewing".clone_into(&mut image.status);
            }
        }
        Action::CopyCompShareCustomImage => {
            world.add_private(reply["NewCompShareImageId"].as_str().unwrap().to_owned(), account);
        }
        Action::SyncCompShareCustomImage => {
            for result in reply["Results"].as_array().unwrap() {
                // Copies of a copy would lie in the zone it is in already.
                if result["RetCode"] == 0 {
                    world.add_private(result["CompShareImageId"].as_str().unwrap().to_owned(), account);
                }
            }
        }
        _ => unreachable!("no change"),
    }
}

/// Favours a group or does so no longer, by its id or by that of an image.
async fn favor(stage: &Stage, world: &mut World, dice: &mut Dice, account: i64, id: &str) {
    let caller = stage.caller(account);
    let (add, by_image) = (dice.below(3) > 0, dice.below(2) == 0);
    let groups: Vec<String> = world.groups.iter().cloned().collect();
    let (action, name, named, group) = if by_image {
        let group = world.images.get(id).filter(|image| image.public).map(|image| image.group.clone());
        let action = if add { Action::AddFavoriteImage } else { Action::RemoveFavoriteImage };
        (action, "CompShareImageId", id.to_owned(), group)
    } else {
        let group = dice.one(&groups).clone();
        let action =
            if add { Action::CreateCompShareImageFavorite } else { Action::DeleteCompShareImageFavorite };
        let seen = world.is_public_group(&group).then(|| group.clone());
        (action, "GroupId", group, seen)
    };
    let told = answer(caller, action, &[(name, &named)], &named).await;
    let nowhere = answer(caller, action, &[(name, NOWHERE)], NOWHERE).await;
    assert_eq!(told == nowhere, group.is_none(), "{action:?} of {named} by {account}: {told}\n{world:#?}");
    if let Some(group) = group {
        let favorite = (account, group);
        if add {
            world.favorites.insert(favorite)
        } else {
            world.favorites.remove(&favorite)
        };
    }
}

async fn review(stage: &Stage, world: &mut World, approve: bool, id: &str) {
    let waits = world.images.get(id).is_some_and(|image| image.status == "Reviewing");
    let done = if approve {
        stage.context.approve_image(id).await.is_ok()
    } else {
        stage.context.refuse_image(id, "Not now.").await.is_ok()
    };
    assert_eq!(done, waits, "review of {id}");
    if let Some(image) = world.images.get_mut(id).filter(|_| waits) {
        image.public = approve;
        if approve { "Available" } else { "Offline" }.clone_into(&mut image.status);
    }
}

/// Promotes an image, or takes one of the platform's away.
async fn promote(stage: &Stage, world: &mut World, id: &str) {
    if world.images.get(id).is_some_and(|image| image.owner == 0) {
        stage.context.demote_image(id).await.unwrap();
        world.images.remove(id);
        world.gone.push(id.to_owned());
    } else if let Ok(promoted) = stage.context.promote_image(id, PlatformType::App, None).await {
        assert!(world.images.contains_key(id));
        world.add_private(promoted.id, 0);
    }
}
