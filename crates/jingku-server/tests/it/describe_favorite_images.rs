use jingku_protocol::actions::Action;
use serde_json::{Value, json};

use crate::support::{Caller, NOW, Service};

const LIST: Action = Action::DescribeFavoriteImages;

async fn ids(caller: &Caller, params: &[(&str, &str)]) -> (Value, Vec<Value>, String) {
    let reply = caller.ok(LIST, params).await;
    let rows = reply["ImageSet"].as_array().unwrap();
    let ids = rows.iter().map(|row| row["CompShareImageId"].clone()).collect();
    (reply["TotalCount"].clone(), ids, reply["NextToken"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn favorites_are_listed_newest_first() {
    let service = Service::approving().await;
    service.add_images(&[("image-1", NOW), ("image-2", NOW), ("image-3", NOW)]).await;
    let (caller, (_, stranger)) = (service.caller(), service.stranger().await);
    for (number, id) in ["image-2", "image-3", "image-1"].into_iter().enumerate() {
        let group = caller.publish(id, &[]).await;
        service.clock.set(NOW + i64::try_from(number).unwrap());
        stranger.ok(Action::CreateCompShareImageFavorite, &[("GroupId", &group)]).await;
    }
    let all = vec![json!("image-1"), json!("image-3"), json!("image-2")];
    assert_eq!(ids(&stranger, &[]).await, (json!(3), all.clone(), String::new()));
    assert_eq!(ids(&caller, &[]).await, (json!(0), vec![], String::new()));
    let (total, first, token) = ids(&stranger, &[("Limit", "2")]).await;
    assert_eq!((total, &first[..]), (json!(3), &all[..2]));
    let rest = ids(&stranger, &[("Limit", "2"), ("NextToken", &token)]).await;
    assert_eq!(rest, (json!(3), all[2..].to_vec(), String::new()));
    assert_eq!(ids(&stranger, &[("Offset", "3")]).await, (json!(3), vec![], String::new()));
    assert_eq!(ids(&stranger, &[("Region", "cn-sh2")]).await.0, 0);
    let row = &stranger.ok(LIST, &[]).await["ImageSet"][0];
    assert_eq!((&row["ImageType"], &row["FavoritesCount"]), (&json!("Community"), &json!(1)));

    caller.ok(Action::UpdateCompShareImage, &[("CompShareImageId", "image-3"), ("Visibility", "0")]).await;
    assert_eq!(ids(&stranger, &[]).await.0, 2);
}

#[tokio::test]
async fn refusals() {
    let service = Service::start().await;
    let caller = service.caller();
    caller.assert_refused(LIST, &[("Limit", "101")], 230, "Params [Limit] not available").await;
    caller.assert_refused(LIST, &[("NextToken", "x")], 230, "Params [NextToken] not available").await;
    caller.assert_place_is_checked(LIST, &[]).await;
}
