//! Requests everything as every account and compares the replies with the model.

mod lists;

use jingku_protocol::actions::{Action, DEFAULT_LINK_SECS};
use lists::Part;
use serde_json::{Value, json};

use super::model::{ACCOUNTS, Call, Image, PLATFORM, Refusal, Status, World, bad, not_found, not_ready};
use super::server::Server;
use super::step::{NO_GROUP, NO_IMAGE, NO_INSTANCE, calls_on, params};
use crate::isolation::{CASES, Names};

/// How an action is tested. A new action does not compile until it is classified here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ActionKind {
    /// It changes something. The steps call it; it must both succeed and be refused.
    Step,
    /// It reads resources, one or many.
    List,
    /// It shows no account's resources: its reply never changes.
    Constant,
}

pub(super) fn action_kind(action: Action) -> ActionKind {
    match action {
        Action::AddFavoriteImage
        | Action::CopyCompShareCustomImage
        | Action::CreateCompShareCustomImage
        | Action::CreateCompShareImageFavorite
        | Action::DeleteCompShareImageFavorite
        | Action::ModifyCompShareImageShareAccount
        | Action::PublishCompShareImage
        | Action::RemoveFavoriteImage
        | Action::SyncCompShareCustomImage
        | Action::TerminateCompShareCustomImage
        | Action::UpdateCompShareImage => ActionKind::Step,
        Action::DescribeCommunityImages
        | Action::DescribeCompShareCustomImageSyncDetail
        | Action::DescribeCompShareCustomImages
        | Action::DescribeCompShareImageActivity
        | Action::DescribeCompShareImageShareAccounts
        | Action::DescribeCompShareImageTags
        | Action::DescribeCompShareImageUsage
        | Action::DescribeCompShareImages
        | Action::DescribeCompShareInstance
        | Action::DescribeCompShareSharingImages
        | Action::DescribeCompShareTrashedImages
        | Action::DescribeFavoriteImages
        | Action::DescribeSelfCommunityImages
        | Action::DescribeUserCommunityImages
        | Action::ExportCompShareCustomImage
        | Action::GetCompShareCustomImageUrl
        | Action::GetCompShareImageCreateProgress
        | Action::GetCompShareInstanceUpgradePrice
        | Action::DeleteCompShareStopScheduler
        | Action::DescribeCompShareJupyterToken
        | Action::GetCompShareInstanceMonitor
        | Action::GetSoftwareUrl
        | Action::ModifyCompShareInstanceName
        | Action::ResizeCompShareInstance
        | Action::SwitchChargeType
        | Action::UpdateCompShareInstancePorts
        | Action::UpdateCompShareStopScheduler
        // Accounts without the image are refused. Tests of their own restore and purge images.
        | Action::PurgeCompShareTrashedImages
        | Action::RestoreCompShareCustomImage
        | Action::GetCompShareRefundPrice => ActionKind::List,
        Action::CheckCompShareNetOptimizer
        | Action::CheckCompShareResourceCapacity
        | Action::CreateCscliEvent
        | Action::DescribeAvailableCompShareInstanceTypes
        | Action::DescribeCompShareGpuInventory
        | Action::DescribeCompShareMachineTypeFamilies
        | Action::DescribeModelRepositoryModels
        | Action::GetCompShareInstancePrice
        | Action::GetCompShareInstanceUserPrice
        | Action::DescribeCompShareSoftwarePort
        | Action::DescribeCompShareSupportZone
        | Action::GetProjectList
        | Action::GetRegion
        // They are refused for instances that the API did not create.
        | Action::CreateCompShareInstance
        | Action::RebootCompShareInstance
        | Action::ReinstallCompShareInstance
        | Action::ResetCompShareInstancePassword
        | Action::StartCompShareInstance
        | Action::StopCompShareInstance
        | Action::TerminateCompShareInstance
        // Their own tests have webhooks.
        | Action::CreateCompShareImageWebhook
        | Action::DeleteCompShareImageWebhook
        | Action::DescribeCompShareImageWebhookDeliveries
        | Action::DescribeCompShareImageWebhooks
        | Action::RetryCompShareImageWebhookDelivery
        // It creates an image, as CreateCompShareCustomImage does. Without a name, as here, it is always refused.
        | Action::ImportCompShareCustomImage => ActionKind::Constant,
    }
}

pub(super) fn accounts() -> impl Iterator<Item = i64> {
    (1..).zip(ACCOUNTS).map(|(account, _)| account)
}

/// The expected reply of an action for one image.
enum Answer {
    Refused(Refusal),
    /// A reply with at least these fields.
    Shown(Value),
    /// A file.
    File,
}

/// Requests everything as every account.
pub(super) async fn ask_all(server: &Server, world: &World) -> Result<(), String> {
    for who in accounts() {
        lists::ask(server, world, who, Part::All).await?;
        for image in &world.images {
            ask_image(server, world, who, image).await?;
        }
        for group in world.groups.keys() {
            ask_group(server, world, who, group).await?;
        }
        for instance in &world.instances {
            ask_instance(server, world, who, &instance.id).await?;
        }
        for (action, _) in CASES.iter().filter(|(action, _)| action_kind(*action) == ActionKind::Constant) {
            same_as_missing(server, who, *action, &[], "-", "-").await?;
        }
    }
    Ok(())
}

/// Requests half of the lists as one account, and the changed resource as another.
pub(super) async fn ask_about(
    server: &Server,
    world: &World,
    [viewer, stranger]: [u8; 2],
    subject: &str,
) -> Result<(), String> {
    let part = if viewer < 128 { Part::Images } else { Part::Community };
    let [viewer, stranger] = [viewer, stranger].map(|asker| i64::from(asker) % 4 + 1);
    lists::ask(server, world, viewer, part).await?;
    for image in world.images.iter().filter(|image| image.id == subject) {
        ask_image(server, world, stranger, image).await?;
    }
    if world.groups.contains_key(subject) {
        ask_group(server, world, stranger, subject).await?;
    }
    if world.instances.iter().any(|instance| instance.id == subject) {
        ask_instance(server, world, stranger, subject).await?;
    }
    Ok(())
}

async fn ask_image(server: &Server, world: &World, who: i64, image: &Image) -> Result<(), String> {
    let id = image.id.as_str();
    if !image.is_visible_to(who) {
        for (action, names) in CASES {
            // The account that deleted an image can delete it again, and has it in its trash.
            let known = world.was_own(who, id)
                && matches!(
                    action,
                    Action::TerminateCompShareCustomImage
                        | Action::DescribeCompShareImageUsage
                        | Action::DescribeCompShareTrashedImages
                        | Action::PurgeCompShareTrashedImages
                        | Action::RestoreCompShareCustomImage
                );
            if let Names::Image(name, rest) = names
                && !known
            {
                same_as_missing(server, who, *action, &with(name, rest), id, NO_IMAGE).await?;
            }
        }
        return Ok(());
    }
    for action in Action::ALL {
        let Some((params, expected)) = about(world, who, *action, image) else { continue };
        if let Answer::File = expected {
            export(server, who, id).await?;
            continue;
        }
        let reply = server.ask(who, *action, &params).await;
        match expected {
            Answer::Refused(refusal) => server.check(*action, &reply, &Err(refusal))?,
            Answer::Shown(fields) => {
                server.check(*action, &reply, &Ok(()))?;
                shows(&reply.json, &fields, &format!("{action:?} of {id} as {who}"))?;
            }
            Answer::File => {}
        }
    }
    for call in calls_on(id, who) {
        ask_refused(server, world, who, &call).await?;
    }
    Ok(())
}

/// Sends a call if the model refuses it, and checks the refusal. Successful calls belong to the steps.
async fn ask_refused(server: &Server, world: &World, who: i64, call: &Call) -> Result<(), String> {
    let foreseen = world.foresee(who, call);
    if foreseen.is_err() {
        let reply = server.ask(who, call.action(), &params(call)).await;
        server.check(call.action(), &reply, &foreseen)?;
    }
    Ok(())
}

async fn ask_group(server: &Server, world: &World, who: i64, group: &str) -> Result<(), String> {
    let favored = world.favorites.contains_key(&(who, group.to_owned()));
    let own = world.groups[group].owner == who;
    let image_id = world.images.iter().any(|image| image.id == group);
    let missing = if image_id { NO_IMAGE } else { NO_GROUP };
    if !own && !world.is_public(group) {
        for (action, names) in CASES {
            if let Names::Group(name, rest) = names
                && !(favored && *action == Action::DeleteCompShareImageFavorite)
            {
                same_as_missing(server, who, *action, &with(name, rest), group, missing).await?;
            }
        }
        let lists = [
            (Action::DescribeCommunityImages, None),
            (Action::DescribeSelfCommunityImages, None),
            (Action::DescribeUserCommunityImages, Some(world.groups[group].owner.to_string())),
        ];
        for (action, target) in lists {
            let target = target.as_deref().map(|target| ("TargetTopOrganizationId", target));
            let rest: Vec<_> = target.into_iter().collect();
            same_as_missing(server, who, action, &with("GroupId", &rest), group, missing).await?;
        }
    } else {
        ask_refused(server, world, who, &Call::Favor(group.to_owned())).await?;
        ask_refused(server, world, who, &Call::Unfavor(group.to_owned())).await?;
    }
    // No account can add to another account's group, public or not.
    let joins = |image: &&Image| image.is_own(who) && image.status == Status::Available && !image.public;
    if let Some(image) = world.images.iter().find(joins).filter(|_| !own) {
        for action in [Action::PublishCompShareImage, Action::UpdateCompShareImage] {
            let rest = [("CompShareImageId", image.id.as_str())];
            // The reply does not contain the image id, so it is the same for every image.
            same_as_missing(server, who, action, &with("GroupId", &rest), group, missing).await?;
        }
    }
    Ok(())
}

async fn ask_instance(server: &Server, world: &World, who: i64, id: &str) -> Result<(), String> {
    if world.instances.iter().any(|instance| instance.owner == who && instance.id == id) {
        let rows: Vec<_> = world.instance_rows(who).into_iter().filter(|row| row["UHostId"] == id).collect();
        let reply = server.ask(who, Action::DescribeCompShareInstance, &owned(&[("UHostIds.0", id)])).await;
        return shows(&reply.json, &json!({ "TotalCount": 1, "UHostSet": rows }), id);
    }
    for (action, names) in CASES {
        if let Names::Instance(name, rest) = names {
            same_as_missing(server, who, *action, &with(name, rest), id, NO_INSTANCE).await?;
        }
    }
    Ok(())
}

/// The parameters and the expected reply of a reading action for an image that the account can see.
fn about(world: &World, who: i64, action: Action, image: &Image) -> Option<(Vec<(String, String)>, Answer)> {
    let id = image.id.as_str();
    let own = image.owner == who;
    let rows = |shown: bool| {
        let rows = shown.then(|| world.row(image, false));
        let total = i64::from(shown);
        Answer::Shown(json!({ "TotalCount": total, "ImageSet": rows.into_iter().collect::<Vec<_>>() }))
    };
    let group = |shown: bool| match world.shown(&image.group).filter(|_| shown) {
        Some(group) => {
            let row = world.group_row(who, &group, &[image]);
            Answer::Shown(json!({ "TotalCount": 1, "CompshareImageGroup": [row] }))
        }
        None => Answer::Refused(not_found(id)),
    };
    let own_only = |fields: Value| {
        if own { Answer::Shown(fields) } else { Answer::Refused(not_found(id)) }
    };
    let by_id = owned(&[("CompShareImageId", id)]);
    let answer = match action {
        Action::DescribeCompShareCustomImages => rows(own),
        Action::DescribeCompShareSharingImages => rows(image.shares.contains_key(&who)),
        Action::DescribeCompShareImages if image.owner == PLATFORM => rows(true),
        Action::DescribeCompShareImages => Answer::Refused(bad("CompShareImageId")),
        Action::DescribeCommunityImages => group(image.public),
        Action::DescribeSelfCommunityImages => group(own && !image.group.is_empty()),
        Action::DescribeUserCommunityImages => {
            let target = image.owner.to_string();
            let params = owned(&[("CompShareImageId", id), ("TargetTopOrganizationId", &target)]);
            return Some((params, group(image.public)));
        }
        Action::GetCompShareImageCreateProgress => own_only(json!({
            "Status": match image.status {
                Status::Making => "Making",
                Status::UnAvailable => "Failed",
                Status::Available | Status::Reviewing | Status::Offline => "Available",
            },
        })),
        Action::DescribeCompShareCustomImageSyncDetail if image.copied_from.is_empty() => {
            Answer::Refused(not_found(id))
        }
        Action::DescribeCompShareCustomImageSyncDetail => own_only(json!({
            "SourceCompShareImageId": image.copied_from,
            "Status": format!("{:?}", image.status),
        })),
        Action::DescribeCompShareImageShareAccounts => own_only(json!({ "AccountSet": share_rows(image) })),
        Action::DescribeCompShareImageUsage => own_only(json!({ "OtherImages": { "Count": 0 } })),
        Action::ExportCompShareCustomImage | Action::GetCompShareCustomImageUrl => {
            let given = own || image.owner == PLATFORM || image.shares.contains_key(&who);
            if !(image.status.has_bits() && (given || image.price == 0)) {
                Answer::Refused(not_ready(id))
            } else if action == Action::ExportCompShareCustomImage {
                Answer::File
            } else {
                Answer::Shown(json!({ "ExpireTime": world.now + DEFAULT_LINK_SECS }))
            }
        }
        _ => return None,
    };
    Some((by_id, answer))
}

fn share_rows(image: &Image) -> Vec<Value> {
    let mut shares: Vec<_> = image.shares.iter().map(|(account, since)| (since, account)).collect();
    shares.sort_unstable();
    let row = |(_, account): (&i64, &i64)| json!({ "AccountName": super::model::account_name(*account), "AccountId": account.to_string() });
    shares.into_iter().map(row).collect()
}

/// Checks that an export returns a file. Other tests check its content.
async fn export(server: &Server, who: i64, id: &str) -> Result<(), String> {
    let action = Action::ExportCompShareCustomImage;
    let params = owned(&[("CompShareImageId", id)]).into_iter();
    let params = params.fold(jingku_protocol::Params::for_action(action.name()), |all, (name, value)| {
        all.text(&name, Some(&value))
    });
    let caller = server.caller(who);
    let form = caller.sign(params).to_form();
    let request = axum::http::Request::post("/").header("content-type", "application/x-www-form-urlencoded");
    let response = caller.open(request.body(form.into()).unwrap()).await;
    server.count(action, false);
    match response.headers()["content-type"].to_str() {
        Ok("application/octet-stream") => Ok(()),
        other => Err(format!("{id} is not exported to {who}: {other:?}")),
    }
}

/// Checks that the reply for `id` equals, byte for byte, the reply for `missing`, which never existed.
async fn same_as_missing(
    server: &Server,
    who: i64,
    action: Action,
    params: &[(&str, &str)],
    id: &str,
    missing: &str,
) -> Result<(), String> {
    let key = (who, format!("{action:?} {missing} {params:?}"));
    let known = server.missing_replies.borrow().get(&key).cloned();
    let expected = if let Some(expected) = known {
        expected
    } else {
        let expected = answer(server, who, action, params, missing).await;
        server.missing_replies.borrow_mut().insert(key, expected.clone());
        expected
    };
    let answered = answer(server, who, action, params, id).await;
    server.compared.set(server.compared.get() + 1);
    if answered == expected {
        return Ok(());
    }
    Err(format!(
        "{action:?} {params:?} as {who} distinguishes {id} from a missing resource:\n{answered}\n{expected}"
    ))
}

/// The status, headers and body of a reply, with placeholders for the requested id and the request id.
async fn answer(server: &Server, who: i64, action: Action, params: &[(&str, &str)], id: &str) -> String {
    let params: Vec<_> =
        params.iter().map(|(name, value)| (*name, if *value == "ID" { id } else { *value })).collect();
    let reply = server.ask(who, action, &owned(&params)).await;
    let request_id = reply.headers["x-ucloud-request-uuid"].to_str().unwrap().to_owned();
    let whole = format!("{} {:?} {}", reply.status, reply.headers, String::from_utf8_lossy(&reply.body));
    let whole = whole.replace(&request_id, "REQUEST").replace(id, "ID");
    // The time of the answer.
    match whole.split_once(r#","UpdateTime":"#) {
        Some((before, _)) if action == Action::DescribeCompShareGpuInventory => before.to_owned(),
        _ => whole,
    }
}

/// The parameter under test, with a placeholder as value, and the other parameters.
fn with<'a>(name: &'a str, rest: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [&[(name, "ID")], rest].concat()
}

pub(super) fn owned(params: &[(&str, &str)]) -> Vec<(String, String)> {
    params.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// Checks that a reply has the expected fields, among others. Lists must have the same length.
pub(super) fn shows(answered: &Value, expected: &Value, of: &str) -> Result<(), String> {
    let wrong = || Err(format!("{of}: answered {answered}, expected {expected}"));
    match (answered, expected) {
        (Value::Object(answered), Value::Object(expected)) => {
            for (name, expected) in expected {
                shows(answered.get(name).unwrap_or(&Value::Null), expected, &format!("{of}: {name}"))?;
            }
            Ok(())
        }
        (Value::Array(items), Value::Array(wanted)) if items.len() == wanted.len() => {
            items.iter().zip(wanted).try_for_each(|(item, wanted)| shows(item, wanted, of))
        }
        (Value::Array(_), Value::Array(_)) => wrong(),
        (Value::Number(one), Value::Number(other)) if one.as_f64() == other.as_f64() => Ok(()),
        _ if answered == expected => Ok(()),
        _ => wrong(),
    }
}
