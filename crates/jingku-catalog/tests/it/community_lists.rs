//! Lists of groups, versions and favourites.

use jingku_catalog::{
    AccountId, Catalog, Favorite, GroupFilter, GroupOrder, GroupSort, ImageChanges, Paging, Publication,
    Scope, VersionFilter,
};

use crate::engines::{Engine, on_every_engine};
use crate::setting::{NOW, account, instance, make, make_public, publish};

on_every_engine!(
    groups_are_sorted_by_rank_then_newest_first,
    every_order_pages_without_gaps_both_ways,
    a_filter_returns_exactly_the_matches,
    a_group_is_found_by_image_within_the_scope_only,
    versions_are_newest_first_up_to_the_maximum,
    a_favourite_is_added_once_and_removed,
    favourites_are_listed_in_the_order_they_were_marked,
);

const ALL: GroupFilter<'static> = GroupFilter {
    id: None,
    image_id: None,
    zones: None,
    name: None,
    author: None,
    words: None,
    tags: &[],
    free: None,
    official: None,
    auto_start: None,
};
const VERSIONS: VersionFilter<'static> =
    VersionFilter { image_id: None, zones: None, versions_max: 10, are_few: true, readme_chars_max: 100 };

async fn ids(catalog: &Catalog, filter: GroupFilter<'_>, order: GroupOrder) -> Vec<String> {
    let viewer = AccountId(1);
    let page =
        catalog.groups_page(Scope::published(), viewer, filter, order, Paging::first(100)).await.unwrap();
    assert_eq!(page.total, i64::try_from(page.items.len()).unwrap());
    page.items.into_iter().map(|group| group.id).collect()
}

/// Two accounts with five public groups, g0 to g4, newest last.
async fn five(catalog: &Catalog) -> (AccountId, AccountId) {
    let lab = account(catalog, "Vision 实验室").await.id;
    let fan = account(catalog, "fan").await.id;
    instance(catalog, lab, "vm").await;
    for (number, (name, price, tags)) in [
        ("PyTorch-2.7", 0, &["LLM", "cv"][..]),
        ("ComfyUI", 100, &["cv"]),
        ("语音合成", 50, &[]),
        ("Llama", 0, &["LLM"]),
        ("Qwen", 200, &["a\"b", "LLM"]),
    ]
    .into_iter()
    .enumerate()
    {
        let (group, now) = (format!("g{number}"), NOW + i64::try_from(number).unwrap());
        make(catalog, lab, name, "vm", now).await;
        let changes = ImageChanges {
            price_cents: Some(price),
            tags: Some(tags),
            auto_start: Some(number == 1),
            ..ImageChanges::default()
        };
        publish(catalog, lab, &format!("image-{name}"), &group, changes, now).await;
    }
    (lab, fan)
}

async fn groups_are_sorted_by_rank_then_newest_first(Engine { catalog, .. }: Engine) {
    let (_, fan) = five(&catalog).await;
    let order = GroupOrder::default();
    assert_eq!(ids(&catalog, ALL, order).await, ["g4", "g3", "g2", "g1", "g0"]);
    assert!(catalog.recommend_group("g1", 100).await.unwrap());
    assert!(!catalog.recommend_group("none", 100).await.unwrap());
    catalog.add_favorite(fan, "g2", NOW).await.unwrap();
    assert_eq!(ids(&catalog, ALL, order).await, ["g1", "g4", "g3", "g2", "g0"]);
    let by = |by| GroupOrder { by, ascending: false };
    assert_eq!(ids(&catalog, ALL, by(GroupSort::PubTime)).await, ["g4", "g3", "g2", "g1", "g0"]);
    assert_eq!(ids(&catalog, ALL, by(GroupSort::Price)).await, ["g4", "g1", "g2", "g3", "g0"]);
    assert_eq!(ids(&catalog, ALL, by(GroupSort::FavoritesCount)).await, ["g2", "g4", "g3", "g1", "g0"]);
    assert_eq!(ids(&catalog, ALL, by(GroupSort::Favor)).await, ["g1", "g2", "g4", "g3", "g0"]);
}

async fn every_order_pages_without_gaps_both_ways(Engine { catalog, .. }: Engine) {
    let (lab, fan) = five(&catalog).await;
    catalog.recommend_group("g3", 7).await.unwrap();
    catalog.add_favorite(fan, "g0", NOW).await.unwrap();
    for by in [
        GroupSort::Recommended,
        GroupSort::Favor,
        GroupSort::PubTime,
        GroupSort::Price,
        GroupSort::CreatedCount,
        GroupSort::ImageUseTime,
        GroupSort::FavoritesCount,
    ] {
        let descending = ids(&catalog, ALL, GroupOrder { by, ascending: false }).await;
        let mut ascending = ids(&catalog, ALL, GroupOrder { by, ascending: true }).await;
        ascending.reverse();
        assert_eq!(ascending, descending, "{by:?}");
        for order in [GroupOrder { by, ascending: false }, GroupOrder { by, ascending: true }] {
            let expected = ids(&catalog, ALL, order).await;
            let mut found = Vec::new();
            let mut cursor = None;
            loop {
                let paging = match &cursor {
                    None => Paging::first(2),
                    Some(cursor) => Paging::After { cursor, limit: 2 },
                };
                let page = catalog.groups_page(Scope::published(), lab, ALL, order, paging).await.unwrap();
                assert_eq!(page.total, 5);
                found.extend(page.items.into_iter().map(|group| group.id));
                let Some(next) = page.next else { break };
                // As text, as a client sends it; a list in another order rejects it.
                let token = next.to_string();
                cursor = Some(order.cursor(&token).unwrap());
                let turned = GroupOrder { ascending: !order.ascending, ..order };
                assert!(turned.cursor(&token).is_err());
            }
            assert_eq!(found, expected, "{order:?}");
        }
    }
    let past = Paging::Offset { offset: 5, limit: 2 };
    let page = catalog.groups_page(Scope::published(), lab, ALL, GroupOrder::default(), past).await.unwrap();
    assert_eq!((page.items.len(), page.total, page.next), (0, 5, None));
}

async fn a_filter_returns_exactly_the_matches(Engine { catalog, .. }: Engine) {
    five(&catalog).await;
    let (none, zone): (&[&str], &[&str]) = (&[], &["cn-wlcb-01"]);
    for (filter, found) in [
        (GroupFilter { id: Some("g2"), ..ALL }, &["g2"][..]),
        (GroupFilter { id: Some("none"), ..ALL }, &[]),
        (GroupFilter { name: Some("TORCH"), ..ALL }, &["g0"]),
        (GroupFilter { name: Some("ｐｙｔｏｒｃｈ"), ..ALL }, &["g0"]),
        (GroupFilter { name: Some("音合"), ..ALL }, &["g2"]),
        // Wildcards of LIKE are ordinary characters.
        (GroupFilter { name: Some("%"), ..ALL }, &[]),
        (GroupFilter { author: Some("Vision 实验室"), ..ALL }, &["g4", "g3", "g2", "g1", "g0"]),
        (GroupFilter { author: Some("Vision"), ..ALL }, &[]),
        (GroupFilter { words: Some("vision  LLAMA"), ..ALL }, &["g3"]),
        (GroupFilter { words: Some("实验 合成"), ..ALL }, &["g2"]),
        (GroupFilter { words: Some("vision nobody"), ..ALL }, &[]),
        (GroupFilter { words: Some("　 "), ..ALL }, &["g4", "g3", "g2", "g1", "g0"]),
        (GroupFilter { tags: &["LLM"], ..ALL }, &["g4", "g3", "g0"]),
        (GroupFilter { tags: &["LLM", "cv"], ..ALL }, &["g0"]),
        (GroupFilter { tags: &["llm"], ..ALL }, &[]),
        (GroupFilter { tags: &["a\"b"], ..ALL }, &["g4"]),
        (GroupFilter { tags: &["b"], ..ALL }, &[]),
        (GroupFilter { free: Some(true), ..ALL }, &["g3", "g0"]),
        (GroupFilter { free: Some(false), ..ALL }, &["g4", "g2", "g1"]),
        (GroupFilter { official: Some(true), ..ALL }, &[]),
        (GroupFilter { official: Some(false), auto_start: Some(true), ..ALL }, &["g1"]),
        (GroupFilter { zones: Some(zone), name: Some("q"), ..ALL }, &["g4"]),
        (GroupFilter { zones: Some(&["elsewhere"]), ..ALL }, &[]),
        (GroupFilter { zones: Some(none), ..ALL }, &[]),
    ] {
        assert_eq!(ids(&catalog, filter, GroupOrder::default()).await, found, "{filter:?}");
    }
}

async fn a_group_is_found_by_image_within_the_scope_only(Engine { catalog, .. }: Engine) {
    let (lab, fan) = five(&catalog).await;
    let down = ImageChanges { publication: Some(Publication::Private), ..ImageChanges::default() };
    catalog.update_image(Scope::own(lab), "image-Qwen", down, NOW).await.unwrap();
    let found = async |scope, image_id| {
        let filter = GroupFilter { image_id: Some(image_id), ..ALL };
        let order = GroupOrder::default();
        catalog.groups_page(scope, fan, filter, order, Paging::first(9)).await.unwrap().total
    };
    for (scope, public, private) in [
        (Scope::published(), 1, 0),
        (Scope::published_by(lab), 1, 0),
        (Scope::own(lab), 1, 1),
        (Scope::published_by(fan), 0, 0),
        (Scope::own(fan), 0, 0),
    ] {
        assert_eq!(found(scope, "image-Llama").await, public, "{scope:?}");
        assert_eq!(found(scope, "image-Qwen").await, private, "{scope:?}");
        assert_eq!(found(scope, "none").await, 0, "{scope:?}");
    }
}

async fn versions_are_newest_first_up_to_the_maximum(Engine { catalog, .. }: Engine) {
    let (lab, _) = five(&catalog).await;
    for (name, readme) in [("b", "# b"), ("d", "# d, which waits"), ("c", "# c")] {
        make(&catalog, lab, name, "vm", NOW).await;
        let changes = ImageChanges { group_id: Some("g0"), readme: Some(readme), ..ImageChanges::default() };
        let submission = crate::setting::submission("unused", name != "d");
        let image = format!("image-{name}");
        // Within one second, the last submitted is the newest.
        catalog.publish_image(Scope::own(lab), &image, submission, changes, None, NOW).await.unwrap();
    }
    let found = async |scope, filter| {
        let images = catalog.versions(scope, &["g3", "g0"], filter).await.unwrap();
        images.into_iter().map(|image| (image.id, image.readme)).collect::<Vec<_>>()
    };
    let row = |id: &str, readme: &str| (format!("image-{id}"), readme.to_owned());
    let (first, other) = (row("PyTorch-2.7", ""), row("Llama", ""));
    let newest = row("c", "# c");
    let expected = [newest.clone(), row("b", ""), first.clone(), other.clone()];
    assert_eq!(found(Scope::published(), VERSIONS).await, expected);
    let expected = [newest.clone(), row("d", ""), row("b", ""), first, other.clone()];
    assert_eq!(found(Scope::own(lab), VERSIONS).await, expected);
    let one = VersionFilter { versions_max: 1, readme_chars_max: 2, ..VERSIONS };
    assert_eq!(found(Scope::published(), one).await, [row("c", ""), other]);
    let asked = VersionFilter { image_id: Some("image-b"), ..VERSIONS };
    assert_eq!(found(Scope::published(), asked).await, [row("b", "# b")]);
    let asked = VersionFilter { image_id: Some("image-d"), ..VERSIONS };
    assert_eq!(found(Scope::published(), asked).await, []);
    let elsewhere = VersionFilter { zones: Some(&["elsewhere"]), ..VERSIONS };
    assert_eq!(found(Scope::published(), elsewhere).await, []);
    assert_eq!(catalog.versions(Scope::published(), &[], VERSIONS).await.unwrap(), []);
}

async fn a_favourite_is_added_once_and_removed(Engine { catalog, .. }: Engine) {
    let (lab, fan) = five(&catalog).await;
    let seen = async |viewer| {
        let filter = GroupFilter { id: Some("g0"), ..ALL };
        let order = GroupOrder::default();
        let page =
            catalog.groups_page(Scope::published(), viewer, filter, order, Paging::first(1)).await.unwrap();
        (page.items[0].favorites_count, page.items[0].is_favorite)
    };
    let revision = catalog.account_revision(lab).await.unwrap();
    for _ in 0..2 {
        assert!(catalog.add_favorite(fan, "g0", NOW).await.unwrap());
        assert_eq!((seen(fan).await, seen(lab).await), ((1, true), (1, false)));
    }
    // The owner's images show the count.
    assert!(catalog.account_revision(lab).await.unwrap() > revision);
    assert!(catalog.add_favorite(lab, "g0", NOW).await.unwrap());
    assert_eq!(
        catalog.image(Scope::own(lab), "image-PyTorch-2.7").await.unwrap().unwrap().favorites_count,
        2
    );
    for _ in 0..2 {
        assert!(catalog.remove_favorite(fan, "g0").await.unwrap());
        assert_eq!((seen(fan).await, seen(lab).await), ((1, false), (1, true)));
    }
    assert!(!catalog.add_favorite(fan, "none", NOW).await.unwrap());
    assert!(!catalog.remove_favorite(fan, "none").await.unwrap());
    // An invisible group cannot be marked, even by its owner; the owner's mark can be removed, once.
    let down = ImageChanges { publication: Some(Publication::Private), ..ImageChanges::default() };
    catalog.update_image(Scope::own(lab), "image-PyTorch-2.7", down, NOW).await.unwrap();
    assert!(!catalog.add_favorite(lab, "g0", NOW).await.unwrap());
    assert!(catalog.remove_favorite(lab, "g0").await.unwrap());
    assert!(!catalog.remove_favorite(lab, "g0").await.unwrap());
    assert_eq!(catalog.group_of_image("image-PyTorch-2.7").await.unwrap(), None);
    assert_eq!(catalog.group_of_image("image-Llama").await.unwrap().as_deref(), Some("g3"));
}

async fn favourites_are_listed_in_the_order_they_were_marked(Engine { catalog, .. }: Engine) {
    let (lab, fan) = five(&catalog).await;
    make_public(&catalog, lab, "newer", "spare", NOW).await;
    let moved = ImageChanges { group_id: Some("g3"), version_name: Some("v2.0"), ..ImageChanges::default() };
    catalog.update_image(Scope::own(lab), "image-newer", moved, NOW).await.unwrap();
    // Independent of the clock.
    for (group, time) in [("g3", 1), ("g1", 3), ("g4", 2), ("g0", 2)] {
        catalog.add_favorite(fan, group, time).await.unwrap();
    }
    let listed = async |zones, paging| {
        let page = catalog.favorites_page(fan, zones, paging).await.unwrap();
        let ids = page.items.into_iter().map(|favorite: Favorite| favorite.image.id).collect::<Vec<_>>();
        (ids, page.total, page.next)
    };
    let all = ["image-PyTorch-2.7", "image-Qwen", "image-ComfyUI", "image-newer"];
    assert_eq!(listed(None, Paging::first(9)).await, (all.map(str::to_owned).to_vec(), 4, None));
    let (first, total, next) = listed(None, Paging::first(2)).await;
    assert_eq!((&first[..], total), (&all.map(str::to_owned)[..2], 4));
    let cursor = Favorite::cursor(&next.unwrap().to_string()).unwrap();
    let (rest, total, next) = listed(None, Paging::After { cursor: &cursor, limit: 2 }).await;
    assert_eq!((&rest[..], total, next), (&all.map(str::to_owned)[2..], 4, None));
    assert_eq!(listed(Some(&["elsewhere"]), Paging::first(9)).await, (vec![], 0, None));
    // An unpublished favourite is omitted.
    let down = ImageChanges { publication: Some(Publication::Private), ..ImageChanges::default() };
    catalog.update_image(Scope::own(lab), "image-Qwen", down, NOW).await.unwrap();
    assert_eq!(listed(None, Paging::first(9)).await.1, 3);
}
