//! Newest-first lists keep the order of creation, independent of clock and ids.

use jingku_catalog::{
    AccountId, AddInstance, Catalog, CopyImage, DeleteImage, Favorite, GroupFilter, GroupOrder, GroupSort,
    ImageChanges, ImageFilter, ImageOrder, ImageSort, InstanceFilter, KeyLimits, NewCopy, NewInstance,
    NewKey, Paging, PublishImage, RestoreImage, Scope, SeedImage, SeedImages, ShareChanges, ShareImage,
};

use crate::engines::{Engine, on_every_engine};
use crate::setting::{NOW, account, instance, lab, make, seeded, submission};

on_every_engine!(
    images_of_one_second_are_in_order_of_creation,
    setting_the_clock_back_reorders_nothing,
    a_restored_image_keeps_its_position,
    images_of_several_accounts_are_in_order_of_creation,
    groups_reviews_and_favourites_are_in_order_of_their_events,
    the_trash_instances_and_keys_are_in_order_of_their_events,
    a_legacy_token_continues_at_its_position,
    seeds_are_sorted_by_time_then_as_given,
);

/// Ids whose alphabetical order differs from the order of creation.
const IDS: [&str; 5] = ["image-m", "image-a", "image-z", "image-c", "image-k"];
const NEWEST_FIRST: [&str; 5] = ["image-k", "image-c", "image-z", "image-a", "image-m"];

async fn copy(catalog: &Catalog, owner: AccountId, id: &str, now: i64) {
    let name = |_: &str, number| (number == 0).then(|| format!("name-{id}"));
    let new =
        NewCopy { id, owner, name: &name, description: None, place: None, platform_type: "", request: None };
    let copied = catalog.copy_image(Scope::everybody(), "image-origin", new, now).await.unwrap();
    assert!(matches!(copied, CopyImage::Copied(_)), "{copied:?}");
}

/// An account with the image `image-origin` to copy.
async fn setting(catalog: &Catalog) -> AccountId {
    let owner = lab(catalog).await;
    make(catalog, owner, "origin", "vm", NOW).await;
    owner
}

async fn listed(catalog: &Catalog, scope: Scope, filter: ImageFilter<'_>) -> Vec<String> {
    let mut ids = Vec::new();
    let mut next: Option<String> = None;
    loop {
        // By token, as a client pages.
        let cursor = next.map(|token| filter.order.cursor(scope, &token).unwrap());
        let paging = cursor.as_ref().map_or(Paging::first(2), |cursor| Paging::After { cursor, limit: 2 });
        let page = catalog.images_page(scope, filter, paging).await.unwrap();
        ids.extend(page.items.into_iter().map(|image| image.id));
        next = page.next.map(|cursor| cursor.to_string());
        if next.is_none() {
            let whole = catalog.images_page(scope, filter, Paging::first(100)).await.unwrap();
            assert_eq!(whole.items.into_iter().map(|image| image.id).collect::<Vec<_>>(), ids);
            ids.retain(|id| id != "image-origin");
            return ids;
        }
    }
}

async fn images_of_one_second_are_in_order_of_creation(Engine { catalog, .. }: Engine) {
    let owner = setting(&catalog).await;
    for id in IDS {
        copy(&catalog, owner, id, NOW).await;
    }
    let scope = Scope::own(owner);
    let all = ImageFilter::default();
    for zones in [None, Some(&["cn-wlcb-01"][..]), Some(&["cn-wlcb-01", "elsewhere"][..])] {
        assert_eq!(listed(&catalog, scope, ImageFilter { zones, ..all }).await, NEWEST_FIRST);
    }
    assert_eq!(listed(&catalog, scope, ImageFilter { name: Some("name"), ..all }).await, NEWEST_FIRST);
    for by in [ImageSort::CreateTime, ImageSort::UpdateTime, ImageSort::Size] {
        // `image-origin` is no smaller and no newer.
        let order = |ascending| ImageFilter { order: ImageOrder { by, ascending }, ..all };
        assert_eq!(listed(&catalog, scope, order(false)).await, NEWEST_FIRST, "{by:?}");
        assert_eq!(listed(&catalog, scope, order(true)).await, IDS, "{by:?}");
    }
}

async fn setting_the_clock_back_reorders_nothing(Engine { catalog, .. }: Engine) {
    let owner = setting(&catalog).await;
    let times = [NOW + 100, NOW - 1_000_000, NOW + 100, 0, NOW + 101];
    for (id, now) in IDS.into_iter().zip(times) {
        copy(&catalog, owner, id, now).await;
    }
    let scope = Scope::own(owner);
    assert_eq!(listed(&catalog, scope, ImageFilter::default()).await, NEWEST_FIRST);
    let page = catalog.images_page(scope, ImageFilter::default(), Paging::first(100)).await.unwrap();
    let times: Vec<i64> = page.items.iter().map(|image| image.create_time - NOW).collect();
    assert_eq!(times, [101, 100, 100, 100, 100, 0], "the times agree with the order");
    let seqs: Vec<i64> = page.items.iter().map(|image| image.seq).collect();
    assert_eq!(seqs, [6, 5, 4, 3, 2, 1], "numbers are dense");
}

async fn a_restored_image_keeps_its_position(Engine { catalog, .. }: Engine) {
    let owner = setting(&catalog).await;
    for id in IDS {
        copy(&catalog, owner, id, NOW).await;
    }
    let scope = Scope::own(owner);
    assert_eq!(catalog.delete_image(scope, "image-z", NOW + 5).await.unwrap(), DeleteImage::Deleted);
    copy(&catalog, owner, "image-0", NOW + 6).await;
    let restored = catalog.restore_image("image-z", None, NOW + 7).await.unwrap();
    assert!(matches!(restored, RestoreImage::Restored(_)), "{restored:?}");
    let expected: Vec<&str> = ["image-0"].into_iter().chain(NEWEST_FIRST).collect();
    assert_eq!(listed(&catalog, scope, ImageFilter::default()).await, expected);
}

async fn images_of_several_accounts_are_in_order_of_creation(Engine { catalog, .. }: Engine) {
    let first = setting(&catalog).await;
    let second = account(&catalog, "second").await.id;
    instance(&catalog, second, "vm-2").await;
    let viewer = account(&catalog, "viewer").await.id;
    let to_viewer = ShareChanges { add: &[viewer], remove: &[], shares_max: 9 };
    for (number, id) in IDS.into_iter().enumerate() {
        match number % 2 {
            0 => copy(&catalog, first, id, NOW).await,
            _ => make(&catalog, second, &id["image-".len()..], "vm-2", NOW).await,
        }
    }
    // The order of sharing does not matter.
    for id in ["image-z", "image-k", "image-m"] {
        let shared = catalog.share_image(Scope::own(first), id, to_viewer, NOW).await.unwrap();
        assert_eq!(shared, ShareImage::Shared);
    }
    for id in ["image-c", "image-a"] {
        catalog.share_image(Scope::own(second), id, to_viewer, NOW).await.unwrap();
    }
    assert_eq!(listed(&catalog, Scope::shared_with(viewer), ImageFilter::default()).await, NEWEST_FIRST);
    assert_eq!(listed(&catalog, Scope::everybody(), ImageFilter::default()).await, NEWEST_FIRST);
    for id in IDS {
        copy(&catalog, AccountId::PLATFORM, &format!("p-{id}"), NOW).await;
    }
    let platform: Vec<String> = NEWEST_FIRST.iter().map(|id| format!("p-{id}")).collect();
    assert_eq!(listed(&catalog, Scope::platform(), ImageFilter::default()).await, platform);
}

async fn groups_reviews_and_favourites_are_in_order_of_their_events(Engine { catalog, .. }: Engine) {
    let owner = setting(&catalog).await;
    let fan = account(&catalog, "fan").await.id;
    let groups = ["g-m", "g-a", "g-z", "g-c", "g-k"];
    for (id, group) in IDS.into_iter().zip(groups) {
        copy(&catalog, owner, id, NOW).await;
        let handed_in = submission(group, false);
        let published =
            catalog.publish_image(Scope::own(owner), id, handed_in, ImageChanges::default(), None, NOW).await;
        assert_eq!(published.unwrap(), PublishImage::Published(group.to_owned()));
    }
    let waiting: Vec<String> =
        catalog.reviews(10).await.unwrap().into_iter().map(|review| review.image.id).collect();
    assert_eq!(waiting, IDS, "the longest waiting first");
    let approved = ["image-c", "image-m", "image-k", "image-a", "image-z"];
    for id in approved {
        assert!(catalog.approve_image(id, NOW).await.unwrap());
    }
    for by in [GroupSort::Recommended, GroupSort::PubTime, GroupSort::Price] {
        for (ascending, expected) in
            [(false, ["g-z", "g-a", "g-k", "g-m", "g-c"]), (true, ["g-c", "g-m", "g-k", "g-a", "g-z"])]
        {
            let order = GroupOrder { by, ascending };
            let (mut found, mut next): (Vec<String>, Option<String>) = (Vec::new(), None);
            loop {
                let cursor = next.map(|token| order.cursor(&token).unwrap());
                let paging =
                    cursor.as_ref().map_or(Paging::first(2), |cursor| Paging::After { cursor, limit: 2 });
                let scope = Scope::published();
                let page =
                    catalog.groups_page(scope, fan, GroupFilter::default(), order, paging).await.unwrap();
                found.extend(page.items.into_iter().map(|group| group.id));
                next = page.next.map(|cursor| cursor.to_string());
                if next.is_none() {
                    break;
                }
            }
            assert_eq!(found, expected, "{order:?}");
        }
    }
    for group in ["g-k", "g-a", "g-z", "g-c"] {
        catalog.add_favorite(fan, group, NOW).await.unwrap();
    }
    // Marked again, it keeps its position.
    catalog.add_favorite(fan, "g-k", NOW).await.unwrap();
    let first = catalog.favorites_page(fan, None, Paging::first(3)).await.unwrap();
    let ids: Vec<&str> = first.items.iter().map(|favorite| favorite.image.group_id.as_str()).collect();
    assert_eq!(ids, ["g-c", "g-z", "g-a"]);
    let cursor = Favorite::cursor(&first.next.unwrap().to_string()).unwrap();
    let paging = Paging::After { cursor: &cursor, limit: 3 };
    let rest = catalog.favorites_page(fan, None, paging).await.unwrap();
    assert_eq!((rest.items.len(), &*rest.items[0].image.group_id), (1, "g-k"));
}

async fn the_trash_instances_and_keys_are_in_order_of_their_events(Engine { catalog, .. }: Engine) {
    let owner = setting(&catalog).await;
    for id in IDS {
        copy(&catalog, owner, id, NOW).await;
    }
    let deleted = ["image-c", "image-m", "image-z", "image-a"];
    for (id, now) in deleted.into_iter().zip([NOW, NOW, NOW - 50, NOW]) {
        assert_eq!(catalog.delete_image(Scope::own(owner), id, now).await.unwrap(), DeleteImage::Deleted);
    }
    let trash: Vec<String> = catalog.trash(10).await.unwrap().into_iter().map(|image| image.id).collect();
    assert_eq!(trash, ["image-a", "image-z", "image-m", "image-c"], "the last deleted first");

    for (id, now) in [("vm-m", NOW), ("vm-z", NOW), ("vm-a", NOW - 50)] {
        let new = NewInstance {
            id,
            account: owner,
            name: "vm",
            region: "cn-wlcb",
            zone: "cn-wlcb-01",
            disk: "{}",
            size_bytes: 1,
            gpu_type: "",
            container: None,
        };
        assert_eq!(catalog.add_instance(new, None, now).await.unwrap(), AddInstance::Added);
    }
    let of_owner = InstanceFilter { account: Some(owner), ..InstanceFilter::default() };
    for filter in [of_owner, InstanceFilter::default()] {
        let first = catalog.instances_page(filter, Paging::first(2)).await.unwrap();
        let cursor = InstanceFilter::cursor(&first.next.unwrap().to_string()).unwrap();
        let paging = Paging::After { cursor: &cursor, limit: 2 };
        let rest = catalog.instances_page(filter, paging).await.unwrap().items;
        let ids: Vec<String> = first.items.into_iter().chain(rest).map(|instance| instance.id).collect();
        assert_eq!(ids, ["vm-a", "vm-z", "vm-m", "vm"]);
    }
    for public_key in ["m", "z", "a"] {
        let limits = KeyLimits::default();
        let new = NewKey { public_key, account: owner, name: "", sealed_private_key: "", limits: &limits };
        catalog.add_key(new, NOW).await.unwrap();
    }
    let keys: Vec<String> =
        catalog.keys(Some(owner)).await.unwrap().into_iter().map(|key| key.public_key).collect();
    assert_eq!(keys, ["m", "z", "a"], "the oldest first");
}

/// Legacy tokens have a time and an id: ids sorted images of one second.
async fn a_legacy_token_continues_at_its_position(Engine { catalog, .. }: Engine) {
    use base64::Engine as _;
    let owner = setting(&catalog).await;
    for (number, id) in ["image-1", "image-2", "image-3", "image-4"].into_iter().enumerate() {
        copy(&catalog, owner, id, NOW + i64::try_from(number / 2).unwrap()).await;
    }
    let token = |order: &str, value: &str, id: &str| {
        base64::engine::general_purpose::URL_SAFE_NO_PAD
            .encode(format!("[1,\"{order}\",false,[{value},\"{id}\"]]"))
    };
    let after = async |scope: Scope, order: ImageOrder, token: String| {
        let cursor = order.cursor(scope, &token).unwrap();
        let filter = ImageFilter { order, ..ImageFilter::default() };
        let paging = Paging::After { cursor: &cursor, limit: 10 };
        let page = catalog.images_page(scope, filter, paging).await.unwrap();
        page.items.into_iter().map(|image| image.id).filter(|id| id != "image-origin").collect::<Vec<_>>()
    };
    let newest = ImageOrder::default();
    for scope in [Scope::own(owner), Scope::everybody()] {
        let at = |id| token("newest", &(NOW + 1).to_string(), id);
        assert_eq!(after(scope, newest, at("image-4")).await, ["image-3", "image-2", "image-1"]);
        // Its image may be deleted.
        assert_eq!(after(scope, newest, at("image-30")).await, ["image-3", "image-2", "image-1"]);
        assert_eq!(after(scope, newest, at("image-3")).await, ["image-2", "image-1"]);
    }
    let by_name = ImageOrder { by: ImageSort::Name, ascending: false };
    let at = token("name", "\"name-image-3\"", "image-3");
    assert_eq!(after(Scope::own(owner), by_name, at).await, ["image-2", "image-1"]);
}

async fn seeds_are_sorted_by_time_then_as_given(Engine { catalog, .. }: Engine) {
    let owner = account(&catalog, "lab").await.id;
    let seed = |id: &str, create_time| SeedImage {
        id: id.to_owned(),
        name: id.to_owned(),
        create_time,
        ..seeded(owner, 0)
    };
    let images = [seed("b", 50), seed("d", 40), seed("a", 50), seed("c", 60), seed("e", 40)];
    assert_eq!(catalog.seed_images(&images, &[], NOW).await.unwrap(), SeedImages::Seeded);
    let scope = Scope::own(owner);
    assert_eq!(listed(&catalog, scope, ImageFilter::default()).await, ["c", "a", "b", "e", "d"]);
    let first = catalog.image(scope, "d").await.unwrap().unwrap();
    assert_eq!((first.create_time, first.seq), (40, 1));
}
