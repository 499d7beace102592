//! Filters and orders compared with a list kept in memory.

use jingku_catalog::{
    AddInstance, BuiltImage, Catalog, CreateImage, Image, ImageChanges, ImageFilter, ImageOrder, ImageSort,
    ImageStatus, NewInstance, Page, Paging, Scope, UpdateImage,
};

use crate::engines::{Engine, on_every_engine};
use crate::setting::{account, claim, new_image};

on_every_engine!(every_filter_in_every_order_is_that_of_a_list, a_part_of_a_name_is_no_pattern);

const NAMES: [&str; 8] =
    ["PyTorch-2.3", "pytorch_nightly", "训练环境", "训练-v2", "llm", "LLM-8B", "a,b", "A:b"];
const TAGS: [&[&str]; 5] = [&[], &["LLM"], &["llm", "a b"], &["LLM", "say \"hi\",\"LLM2"], &["图像"]];

/// Images in three zones and three statuses, with different tags, sizes and times.
async fn fill(catalog: &Catalog, scope: Scope, account: jingku_catalog::AccountId) {
    for number in 0..24_u8 {
        let index = usize::from(number);
        let (id, vm) = (format!("image-{:02}", number * 7 % 24), format!("vm-{number:02}"));
        let instance = NewInstance {
            id: &vm,
            account,
            name: "vm",
            region: "region",
            zone: ["a", "b", "c"][index % 3],
            disk: "{}",
            size_bytes: i64::from(number % 5) * 100,
            gpu_type: "",
            container: None,
        };
        assert_eq!(catalog.add_instance(instance, None, 0).await.unwrap(), AddInstance::Added);
        let name = format!("{}-{}", NAMES[index % NAMES.len()], index / NAMES.len());
        let (new, job) = (new_image(&id, &name, &vm), &format!("job-{number:02}"));
        let created = catalog.create_image(scope, new, job, i64::from(number / 4)).await.unwrap();
        assert_eq!(created, CreateImage::Created);
        let changes = ImageChanges { tags: Some(TAGS[index % TAGS.len()]), ..ImageChanges::default() };
        let updated = catalog.update_image(scope, &id, changes, i64::from(number * 5 % 7)).await.unwrap();
        assert_eq!(updated, UpdateImage::Updated);
        if number % 4 == 0 {
            continue;
        }
        let job = claim(catalog, "maker", 10).await.expect("a job waits");
        if number % 4 == 1 {
            catalog.fail_job(&job, "no disk", 10).await.unwrap();
        } else {
            catalog
                .complete_job(&job, BuiltImage::dense("manifest", i64::from(number % 5) * 100), 10)
                .await
                .unwrap();
        }
    }
}

fn filters() -> Vec<ImageFilter<'static>> {
    let all = ImageFilter::default();
    vec![
        all,
        ImageFilter { zones: Some(&["b"]), ..all },
        ImageFilter { zones: Some(&["b", "c"]), ..all },
        ImageFilter { id: Some("image-07"), ..all },
        ImageFilter { id: Some("image-07"), zones: Some(&["none"]), ..all },
        ImageFilter { id: Some("nowhere"), ..all },
        ImageFilter { name: Some("PYTORCH"), ..all },
        ImageFilter { name: Some("训练"), zones: Some(&["a", "b"]), ..all },
        ImageFilter { statuses: &[ImageStatus::Available], ..all },
        ImageFilter { statuses: &[ImageStatus::Making, ImageStatus::UnAvailable], ..all },
        ImageFilter { tags: &["LLM"], ..all },
        ImageFilter { tags: &["llm", "a b"], ..all },
        ImageFilter { tags: &["LLM2"], ..all },
        ImageFilter { tags: &["图像"], name: Some("b"), ..all },
        ImageFilter { created_from: Some(2), created_before: Some(4), ..all },
        ImageFilter { bytes_from: Some(100), bytes_below: Some(300), ..all },
        ImageFilter { author: Some("lab"), ..all },
        ImageFilter { author: Some("nobody"), ..all },
    ]
}

fn matches(filter: &ImageFilter<'_>, image: &Image) -> bool {
    filter.id.is_none_or(|id| image.id == id)
        && filter.zones.is_none_or(|zones| zones.contains(&&*image.zone))
        && filter.name.is_none_or(|name| image.name.to_lowercase().contains(&name.to_lowercase()))
        && filter.author.is_none_or(|author| image.owner_name == author)
        && (filter.statuses.is_empty() || filter.statuses.contains(&image.status))
        && filter.tags.iter().all(|tag| image.tags.iter().any(|have| have == tag))
        && filter.created_from.is_none_or(|from| image.create_time >= from)
        && filter.created_before.is_none_or(|before| image.create_time < before)
        && filter.bytes_from.is_none_or(|from| image.size_bytes >= from)
        && filter.bytes_below.is_none_or(|below| image.size_bytes < below)
}

fn sort(images: &mut [&Image], order: ImageOrder) {
    images.sort_by(|a, b| {
        let by = match order.by {
            ImageSort::CreateTime => a.create_time.cmp(&b.create_time),
            ImageSort::UpdateTime => a.update_time.cmp(&b.update_time),
            ImageSort::Size => a.size_bytes.cmp(&b.size_bytes),
            ImageSort::Name => a.name.cmp(&b.name),
        };
        let ascending = by.then_with(|| a.seq.cmp(&b.seq));
        if order.ascending { ascending } else { ascending.reverse() }
    });
}

fn ids(images: &[Image]) -> Vec<&str> {
    images.iter().map(|image| image.id.as_str()).collect()
}

async fn every_filter_in_every_order_is_that_of_a_list(Engine { catalog, .. }: Engine) {
    let owner = account(&catalog, "lab").await.id;
    let scope = Scope::own(owner);
    fill(&catalog, scope, owner).await;
    let all = catalog.images_page(scope, ImageFilter::default(), Paging::first(100)).await.unwrap().items;
    assert_eq!(all.len(), 24);
    for filter in filters() {
        for by in [ImageSort::CreateTime, ImageSort::UpdateTime, ImageSort::Size, ImageSort::Name] {
            for ascending in [false, true] {
                let order = ImageOrder { by, ascending };
                let filter = ImageFilter { order, ..filter };
                let mut expected: Vec<&Image> = all.iter().filter(|image| matches(&filter, image)).collect();
                sort(&mut expected, order);
                let expected: Vec<&str> = expected.into_iter().map(|image| image.id.as_str()).collect();
                walk(&catalog, scope, filter, &expected).await;
            }
        }
    }
    let empty = filters().iter().filter(|filter| !all.iter().any(|image| matches(filter, image))).count();
    assert_eq!(empty, 4, "a filter that finds nothing compares nothing");
}

/// Reads every page, by offset and by token.
async fn walk(catalog: &Catalog, scope: Scope, filter: ImageFilter<'_>, expected: &[&str]) {
    const LIMIT: u32 = 5;
    let mut next: Option<String> = None;
    let mut offset = 0;
    loop {
        let rest = &expected[expected.len().min(offset)..];
        let this = &rest[..rest.len().min(LIMIT as usize)];
        let by_offset = Paging::Offset { offset: u32::try_from(offset).unwrap(), limit: LIMIT };
        let page = catalog.images_page(scope, filter, by_offset).await.unwrap();
        assert_eq!((ids(&page.items), page.total), (this.to_vec(), i64::try_from(expected.len()).unwrap()));
        check_matching(catalog, scope, filter, by_offset, &page).await;
        if let Some(token) = next {
            let cursor = filter.order.cursor(scope, &token).unwrap();
            let after = Paging::After { cursor: &cursor, limit: LIMIT };
            let again = catalog.images_page(scope, filter, after).await.unwrap();
            assert_eq!((ids(&again.items), again.total), (this.to_vec(), page.total), "{filter:?}");
            check_matching(catalog, scope, filter, after, &page).await;
        }
        offset += LIMIT as usize;
        assert_eq!(page.next.is_some(), offset < expected.len());
        next = page.next.map(|cursor| cursor.to_string());
        if next.is_none() {
            break;
        }
    }
}

/// Compares a page of row versions with the page of rows.
async fn check_matching(
    catalog: &Catalog,
    scope: Scope,
    filter: ImageFilter<'_>,
    paging: Paging<'_>,
    page: &Page<Image>,
) {
    let found = catalog.matching_images(scope, &filter, paging).await.unwrap();
    assert_eq!(found.is_some(), filter.id.is_none() && filter.order == ImageOrder::default());
    let Some(found) = found else { return };
    let seqs: Vec<i64> = found.rows.iter().map(|row| row.seq).collect();
    assert_eq!(seqs, page.items.iter().map(|image| image.seq).collect::<Vec<_>>(), "{filter:?}");
    assert_eq!((found.total, found.next), (page.total, page.next.clone()), "{filter:?}");
    let rows = catalog.images_numbered(scope, &seqs).await.unwrap();
    assert!(rows.iter().map(|(version, _)| version).eq(&found.rows));
    assert!(rows.iter().map(|(_, image)| image).eq(&page.items));
}

async fn a_part_of_a_name_is_no_pattern(Engine { catalog, .. }: Engine) {
    let owner = account(&catalog, "lab").await.id;
    let scope = Scope::own(owner);
    fill(&catalog, scope, owner).await;
    for (name, total) in [("%", 0), ("_", 3), ("'", 0), ("\\", 0), (".", 3), (",", 3), ("a,b-1", 1)] {
        let filter = ImageFilter { name: Some(name), ..ImageFilter::default() };
        let page = catalog.images_page(scope, filter, Paging::first(100)).await.unwrap();
        assert_eq!(page.total, total, "{name}");
    }
}
