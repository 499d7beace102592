use jingku_protocol::actions::Action;
use serde_json::{Value, json};

use crate::support::{Caller, NOW, Service};

const LIST: Action = Action::DescribeCommunityImages;

/// A server with the groups image-1 to image-4, oldest first.
async fn with_groups() -> (Service, Caller, Vec<String>) {
    let service = Service::approving().await;
    let names = ["image-1", "image-2", "image-3", "image-4"];
    service.add_images(&names.map(|name| (name, NOW))).await;
    let caller = service.caller();
    let mut groups = Vec::new();
    for (number, (name, price, tags)) in names
        .into_iter()
        .zip(["0", "2", "1", "0"])
        .zip(["['a']", "['a', 'b']", "", "['b']"])
        .map(|((n, p), t)| (n, p, t))
        .enumerate()
    {
        service.clock.set(NOW + i64::try_from(number).unwrap());
        let params = [("Price", price), ("Tags", tags), ("Readme", "# read"), ("Description", name)];
        groups.push(caller.publish(name, &params).await);
    }
    (service, caller, groups)
}

#[tokio::test]
async fn groups_list_their_versions_recommended_first_then_newest() {
    let (service, caller, groups) = with_groups().await;
    let (_, stranger) = service.stranger().await;
    assert_eq!(stranger.group_names(LIST, &[]).await, ["image-4", "image-3", "image-2", "image-1"]);
    service.context.library.recommend_group(&groups[1], 90).await.unwrap();
    let listed = stranger.groups(LIST, &[]).await;
    assert_eq!((&listed[0]["ImageName"], &listed[0]["RecommendCount"]), (&json!("image-2"), &json!(90)));
    assert_eq!(listed[0]["ImageDesc"], "image-2");
    assert_eq!((&listed[0]["GroupId"], &listed[0]["IsFavorite"]), (&json!(groups[1]), &json!(false)));
    let version = &listed[0]["Data"][0];
    assert_eq!((&version["CompShareImageId"], &version["VersionName"]), (&json!("image-2"), &json!("v1.0")));
    assert_eq!((&version["Readme"], &version["Owner"]["AccountId"]), (&json!("# read"), &json!("1")));
    let without = stranger.groups(LIST, &[("ExcludeReadme", "true")]).await;
    assert_eq!(without[0]["Data"][0]["Readme"], Value::Null);

    // A second version comes before the first.
    service.add_images(&[("image-5", NOW)]).await;
    service.clock.set(NOW + 100);
    caller.publish("image-5", &[("GroupId", &groups[1])]).await;
    let group = &stranger.groups(LIST, &[("GroupId", &groups[1])]).await[0];
    let ids: Vec<_> =
        group["Data"].as_array().unwrap().iter().map(|row| row["CompShareImageId"].clone()).collect();
    assert_eq!((ids, &group["ImageName"]), (vec![json!("image-5"), json!("image-2")], &json!("image-2")));
    // A call with an image id returns that version alone, with its readme.
    let asked = stranger.groups(LIST, &[("CompShareImageId", "image-2")]).await;
    assert_eq!((asked.len(), asked[0]["Data"].as_array().unwrap().len()), (1, 1));
    assert_eq!(asked[0]["Data"][0]["Readme"], "# read");
}

#[tokio::test]
async fn every_sort_field_works_in_both_directions_and_with_tokens() {
    let (service, caller, groups) = with_groups().await;
    let (_, stranger) = service.stranger().await;
    stranger.ok(Action::CreateCompShareImageFavorite, &[("GroupId", &groups[2])]).await;
    for (field, expected) in [
        ("PubTime", ["image-4", "image-3", "image-2", "image-1"]),
        ("Price", ["image-2", "image-3", "image-4", "image-1"]),
        ("FavoritesCount", ["image-3", "image-4", "image-2", "image-1"]),
        ("Favor", ["image-3", "image-4", "image-2", "image-1"]),
        ("CreatedCount", ["image-4", "image-3", "image-2", "image-1"]),
        ("ImageUseTime", ["image-4", "image-3", "image-2", "image-1"]),
        // An unknown field is ignored.
        ("Beauty", ["image-4", "image-3", "image-2", "image-1"]),
    ] {
        let field = ("SortCondition.Field", field);
        assert_eq!(
            caller.group_names(LIST, &[field, ("SortCondition.ASC", "False")]).await,
            expected,
            "{field:?}"
        );
        let mut reversed = expected;
        reversed.reverse();
        assert_eq!(
            caller.group_names(LIST, &[field, ("SortCondition.ASC", "True")]).await,
            reversed,
            "{field:?}"
        );

        let mut found = Vec::new();
        let mut token = String::new();
        loop {
            let reply = caller.ok(LIST, &[field, ("Limit", "3"), ("NextToken", &token)]).await;
            assert_eq!(reply["TotalCount"], 4);
            let page = reply["CompshareImageGroup"].as_array().unwrap().clone();
            found.extend(page.iter().map(|group| group["ImageName"].as_str().unwrap().to_owned()));
            token = reply["NextToken"].as_str().unwrap().to_owned();
            if token.is_empty() {
                break;
            }
            let wrong =
                [("SortCondition.Field", "Price"), ("SortCondition.ASC", "true"), ("NextToken", &token)];
            caller.assert_refused(LIST, &wrong, 230, "Params [NextToken] not available").await;
        }
        assert_eq!(found, expected, "{field:?}");
    }
    assert_eq!(caller.group_names(LIST, &[("Offset", "2"), ("Limit", "1")]).await, ["image-2"]);
    assert_eq!(caller.group_names(LIST, &[("Offset", "4")]).await, Vec::<String>::new());
}

#[tokio::test]
async fn filters_narrow_the_list() {
    let (_service, caller, groups) = with_groups().await;
    for (params, expected) in [
        (vec![("Name", "GE-3")], vec!["image-3"]),
        (vec![("Author", "default"), ("Name", "ｉｍａｇｅ－4")], vec!["image-4"]),
        (vec![("Author", "defaul")], vec![]),
        (vec![("FuzzySearch", "DEFAULT 2")], vec!["image-2"]),
        (vec![("Tag", "a")], vec!["image-2", "image-1"]),
        (vec![("Tag.0", "a"), ("Tag.1", "b")], vec!["image-2"]),
        (vec![("Tag", "['b', 'a']")], vec!["image-2"]),
        (vec![("IsFree", "true")], vec!["image-4", "image-1"]),
        (vec![("IsFree", "False")], vec!["image-3", "image-2"]),
        (vec![("IsOfficial", "true")], vec![]),
        (vec![("IfAutoStart", "true")], vec![]),
        (vec![("GroupId", &groups[0])], vec!["image-1"]),
        (vec![("GroupId", "none")], vec![]),
        (vec![("Region", "cn-wlcb"), ("Name", "1")], vec!["image-1"]),
        (vec![("Region", "cn-sh2")], vec![]),
    ] {
        assert_eq!(caller.group_names(LIST, &params).await, expected, "{params:?}");
    }
}

#[tokio::test]
async fn refusals() {
    let (service, caller, _) = with_groups().await;
    service.add_images(&[("image-private", NOW)]).await;
    let long = "文".repeat(100);
    for (name, bad) in [
        ("Limit", "101"),
        ("Offset", "-1"),
        ("IsFree", "maybe"),
        ("Name", &long),
        ("FuzzySearch", &long),
        ("NextToken", "abc"),
    ] {
        caller.assert_refused(LIST, &[(name, bad)], 230, &format!("Params [{name}] not available")).await;
    }
    caller.assert_place_is_checked(LIST, &[]).await;
    let (_, stranger) = service.stranger().await;
    for (caller, id) in [(&stranger, "none"), (&stranger, "image-private"), (&caller, "image-private")] {
        caller
            .assert_refused(LIST, &[("CompShareImageId", id)], 8039, &format!("Resource not exist [{id}]"))
            .await;
    }
}

#[tokio::test]
async fn strict_mode_requires_region_and_zone() {
    let service = Service::strict().await;
    service.caller().assert_required(LIST, &[], &[("Region", "cn-wlcb"), ("Zone", "cn-wlcb-01")]).await;
}

/// Some clients do not read a larger reply.
#[tokio::test]
async fn the_longest_page_stays_below_1_mib() {
    let service = Service::approving().await;
    let ids: Vec<String> = (0..100).map(|number| format!("image-{number}")).collect();
    let images: Vec<(&str, i64)> = ids.iter().map(|id| (&**id, NOW)).collect();
    service.add_images(&images).await;
    let caller = service.caller();
    let (text, word, readme) = ("镜".repeat(1000), "卡".repeat(64), "读".repeat(10_000));
    let types = format!("{:?}", vec![&*word; 32]);
    for id in &ids {
        let params = [
            ("Description", &*text),
            ("VersionDesc", &text),
            ("SupportedGpuTypes", &types),
            ("Readme", &readme),
        ];
        caller.publish(id, &params).await;
    }
    for list in [LIST, Action::DescribeSelfCommunityImages] {
        let reply = caller.call(list, &[("Limit", "100")]).await;
        assert!(reply.body.len() < 1 << 20, "{} bytes", reply.body.len());
        assert!(reply.body.len() > 900_000, "{} bytes", reply.body.len());
        let groups = reply.json["CompshareImageGroup"].as_array().unwrap();
        assert_eq!((groups.len(), &reply.json["TotalCount"]), (100, &json!(100)));
        assert_eq!(groups[0]["Data"].as_array().unwrap().len(), 1);
    }
    // A call with an image id returns the fields that the page omits.
    let params = [("CompShareImageId", "image-0")];
    let asked = &caller.groups(LIST, &params).await[0];
    assert_eq!((&asked["ImageDesc"], &asked["Data"][0]["Readme"]), (&json!(text), &json!(readme)));
}

/// Another server changes what the pages in memory of this one show.
#[tokio::test]
async fn nothing_is_shown_after_another_server_has_changed_it() {
    let service = Service::start().await;
    service.add_images(&[("image-1", NOW), ("image-2", NOW + 1), ("image-3", NOW + 2)]).await;
    let (other, elsewhere) = (service.reopen().await, service.stranger().await.1);
    for id in ["image-1", "image-2", "image-3"] {
        other.caller().publish(id, &[]).await;
        other.context.library.approve_image(id).await.unwrap();
    }
    let caller = service.caller();
    let names = async || caller.group_names(LIST, &[]).await;
    for _twice in 0..2 {
        assert_eq!(names().await, ["image-3", "image-2", "image-1"]);
    }
    let private = [("CompShareImageId", "image-2"), ("Visibility", "0")];
    other.caller().ok(Action::UpdateCompShareImage, &private).await;
    assert_eq!(names().await, ["image-3", "image-1"]);
    assert_eq!(elsewhere.group_names(LIST, &[]).await, ["image-3", "image-1"]);
    let name = [("CompShareImageId", "image-1"), ("Description", "changed")];
    other.caller().ok(Action::UpdateCompShareImage, &name).await;
    let groups = caller.groups(LIST, &[]).await;
    assert_eq!(groups[1]["Data"][0]["Description"], "changed");
    let group = [("GroupId", groups[1]["GroupId"].as_str().unwrap())];
    other.caller().ok(Action::CreateCompShareImageFavorite, &group).await;
    assert_eq!(caller.groups(LIST, &[]).await[1]["IsFavorite"], true);
}
