//! The filters and sort orders that Jingku adds to the API.

use jingku_protocol::actions::Action;
use serde_json::Value;

use super::{LIST, page};
use crate::support::{Caller, INSTANCE, NOW, Service};

/// Three images that sort differently by id, name and creation time.
async fn service_with_images() -> (Service, Caller) {
    let service = Service::start().await;
    service.add_images(&[("pytorch-c", NOW), ("训练-a", NOW + 1), ("PyTorch-b", NOW + 2)]).await;
    let caller = service.caller();
    for (id, tags) in [("PyTorch-b", &["LLM", "图像"][..]), ("pytorch-c", &["LLM"])] {
        let mut params = vec![("CompShareImageId", id)];
        params.extend(["Tags.0", "Tags.1"].into_iter().zip(tags.iter().copied()));
        caller.ok(Action::UpdateCompShareImage, &params).await;
    }
    (service, caller)
}

async fn ids(caller: &Caller, params: &[(&str, &str)]) -> Vec<String> {
    let (ids, total, _) = page(caller, params).await;
    assert_eq!(total, ids.len() as u64);
    ids
}

#[tokio::test]
async fn filters_are_combined_with_and() {
    let (service, caller) = service_with_images().await;
    let making = caller.create(INSTANCE, "making").await;
    let later = (NOW + 1).to_string();
    for (params, expected) in [
        (&[("Name", "PYTORCH")][..], &["PyTorch-b", "pytorch-c"][..]),
        (&[("Name", "ｐｙ")], &["PyTorch-b", "pytorch-c"]),
        (&[("Name", "训")], &["训练-a"]),
        (&[("Name", "%")], &[]),
        (&[("Status", "Making")], &[making.as_str()]),
        (&[("Status.0", "Making"), ("Status.1", "Available"), ("Tag", "图像")], &["PyTorch-b"]),
        (&[("Tag.0", "LLM"), ("Tag.1", "图像")], &["PyTorch-b"]),
        (&[("Tag", "llm")], &[]),
        (&[("CreatedFrom", &later), ("Status", "Available")], &["PyTorch-b", "训练-a"]),
        (&[("CreatedFrom", &later), ("CreatedBefore", &later)], &[]),
        (&[("SizeFrom", "2")], &[making.as_str()]),
        (&[("SizeFrom", "1"), ("SizeBelow", "2"), ("Tag", "LLM")], &["PyTorch-b", "pytorch-c"]),
        (&[("SizeBelow", "0")], &[]),
        (&[("Name", "pytorch"), ("CompShareImageId", "pytorch-c")], &["pytorch-c"]),
        (&[("Name", "nothing"), ("CompShareImageId", "pytorch-c")], &[]),
        (&[("Name", ""), ("Tag", "图像"), ("Zone", "cn-wlcb-01")], &["PyTorch-b"]),
        (&[("Tag", "图像"), ("Zone", "cn-sh2-02")], &[]),
    ] {
        let mut found = ids(&caller, params).await;
        found.sort();
        assert_eq!(found, expected, "{params:?}");
    }
    drop(service);
}

#[tokio::test]
async fn tokens_keep_the_requested_sort_order() {
    let (_service, caller) = service_with_images().await;
    for (field, expected) in [
        ("CreateTime", ["pytorch-c", "训练-a", "PyTorch-b"]),
        ("Name", ["PyTorch-b", "pytorch-c", "训练-a"]),
        // All sizes are equal, so the order of creation decides.
        ("Size", ["pytorch-c", "训练-a", "PyTorch-b"]),
    ] {
        let ascending = [("SortCondition.Field", field), ("SortCondition.ASC", "true")];
        assert_eq!(ids(&caller, &ascending).await, expected, "{field}");
        let descending = [("SortCondition.Field", field)];
        let reversed: Vec<&str> = expected.into_iter().rev().collect();
        assert_eq!(ids(&caller, &descending).await, reversed, "{field}");

        let mut token = String::new();
        for id in expected {
            let paging = [("Limit", "1"), ("NextToken", &*token)];
            let (ids, total, next) = page(&caller, &[&ascending[..], &paging].concat()).await;
            assert_eq!((ids, total), (vec![id.to_owned()], 3));
            token = next;
        }
        assert_eq!(token, "");
    }
    let (_, _, token) = page(&caller, &[("Limit", "1"), ("SortCondition.Field", "Name")]).await;
    let wrong = "Params [NextToken] not available";
    caller.assert_refused(LIST, &[("NextToken", &token)], 230, wrong).await;
}

#[tokio::test]
async fn an_invalid_filter_is_refused_by_name() {
    let (_service, caller) = service_with_images().await;
    let long = "x".repeat(257);
    for (name, value) in [
        ("Status", "Frozen"),
        ("Status", "available"),
        ("CreatedFrom", "yesterday"),
        ("CreatedBefore", "1.5"),
        ("SizeFrom", "-1"),
        ("SizeBelow", "1GB"),
        ("SortCondition.Field", "PubTime"),
        ("SortCondition.ASC", "up"),
        ("Name", &long),
    ] {
        caller.assert_refused(LIST, &[(name, value)], 230, &format!("Params [{name}] not available")).await;
    }
}

/// The filters are part of the cache key of a page.
#[tokio::test]
async fn cached_pages_are_keyed_by_their_filters() {
    let (_service, caller) = service_with_images().await;
    for _twice in 0..2 {
        assert_eq!(ids(&caller, &[("Tag", "图像")]).await, ["PyTorch-b"]);
        assert_eq!(ids(&caller, &[("Name", "训")]).await, ["训练-a"]);
        assert_eq!(ids(&caller, &[]).await.len(), 3);
    }
    caller.ok(Action::UpdateCompShareImage, &[("CompShareImageId", "训练-a"), ("Tags.0", "图像")]).await;
    let reply: Value = caller.ok(LIST, &[("Tag", "图像")]).await;
    assert_eq!(reply["TotalCount"], 2);
}
