use jingku_catalog::{AddInstance, BuiltImage, InstanceFilter, NewInstance, Paging, RemoveInstance, Scope};

use crate::engines::{Engine, on_every_engine};
use crate::setting::{NOW, account, claim, create, instance, lab};

on_every_engine!(
    an_instance_is_listed_with_the_image_being_made,
    an_id_is_used_once,
    a_busy_instance_is_not_removed,
    instances_are_filtered_by_account_and_id,
    instances_are_paged,
);

async fn an_instance_is_listed_with_the_image_being_made(Engine { catalog, .. }: Engine) {
    let owner = lab(&catalog).await;
    let idle = catalog.instance(Some(owner), "vm").await.unwrap().unwrap();
    assert_eq!((idle.id.as_str(), idle.account, idle.size_bytes), ("vm", owner, 1 << 30));
    assert_eq!(idle.image_in_making, None);

    create(&catalog, owner, "a", "vm").await;
    let busy = catalog.instance(None, "vm").await.unwrap().unwrap();
    assert_eq!(busy.image_in_making.as_deref(), Some("image-a"));

    let job = claim(&catalog, "worker", NOW).await.unwrap();
    catalog.complete_job(&job, BuiltImage::dense("manifest", 5), NOW).await.unwrap();
    assert_eq!(catalog.instance(None, "vm").await.unwrap(), Some(idle));
}

async fn an_id_is_used_once(Engine { catalog, .. }: Engine) {
    lab(&catalog).await;
    let other = account(&catalog, "other").await.id;
    let again = NewInstance {
        id: "vm",
        account: other,
        name: "",
        region: "",
        zone: "",
        disk: "{}",
        size_bytes: 0,
        gpu_type: "",
    };
    assert_eq!(catalog.add_instance(again, None, NOW).await.unwrap(), AddInstance::Exists);
    assert_eq!(catalog.instance(Some(other), "vm").await.unwrap(), None);
}

async fn a_busy_instance_is_not_removed(Engine { catalog, .. }: Engine) {
    let owner = lab(&catalog).await;
    create(&catalog, owner, "a", "vm").await;
    assert_eq!(catalog.remove_instance("vm", NOW).await.unwrap(), RemoveInstance::Busy);
    catalog.delete_image(Scope::own(owner), "image-a", NOW).await.unwrap();
    assert_eq!(catalog.remove_instance("vm", NOW).await.unwrap(), RemoveInstance::Removed);
    assert_eq!(catalog.remove_instance("vm", NOW).await.unwrap(), RemoveInstance::NotFound);
}

async fn instances_are_filtered_by_account_and_id(Engine { catalog, .. }: Engine) {
    let (owner, other) = (account(&catalog, "lab").await.id, account(&catalog, "other").await.id);
    for id in ["vm-1", "vm-2", "vm-3"] {
        instance(&catalog, owner, id).await;
    }
    instance(&catalog, other, "vm-4").await;
    let chosen_in = async |account, ids: Option<&[&str]>, zones: Option<&[&str]>| {
        let filter = InstanceFilter { account, ids, zones };
        let page = catalog.instances_page(filter, Paging::first(100)).await.unwrap();
        let ids: Vec<String> = page.items.into_iter().map(|instance| instance.id).collect();
        (page.total, ids.join(" "))
    };
    let chosen = async |account, ids| chosen_in(account, ids, None).await;
    assert_eq!(chosen(None, None).await, (4, "vm-4 vm-3 vm-2 vm-1".to_owned()));
    assert_eq!(chosen(Some(owner), None).await, (3, "vm-3 vm-2 vm-1".to_owned()));
    assert_eq!(chosen(Some(owner), Some(&["vm-1", "vm-4"])).await, (1, "vm-1".to_owned()));
    assert_eq!(chosen(None, Some(&["vm-1", "vm-4", "vm-9"])).await, (2, "vm-4 vm-1".to_owned()));
    assert_eq!(chosen(None, Some(&[])).await, (0, String::new()));
    let zone = catalog.instance(None, "vm-1").await.unwrap().unwrap().zone;
    assert_eq!(chosen_in(Some(owner), None, Some(&[&zone, "elsewhere"])).await.0, 3);
    assert_eq!(chosen_in(Some(owner), None, Some(&["elsewhere"])).await, (0, String::new()));
}

async fn instances_are_paged(Engine { catalog, .. }: Engine) {
    let owner = account(&catalog, "lab").await.id;
    for number in 0..5 {
        instance(&catalog, owner, &format!("vm-{number}")).await;
    }
    let filter = InstanceFilter { account: Some(owner), ..InstanceFilter::default() };
    let first = catalog.instances_page(filter, Paging::first(3)).await.unwrap();
    let cursor = first.next.expect("two are left");
    let rest = catalog.instances_page(filter, Paging::After { cursor: &cursor, limit: 3 }).await.unwrap();
    let ids: Vec<&str> = first.items.iter().chain(&rest.items).map(|instance| instance.id.as_str()).collect();
    assert_eq!(ids, ["vm-4", "vm-3", "vm-2", "vm-1", "vm-0"]);
    assert_eq!((first.total, rest.total, rest.next), (5, 5, None));
    let past = Paging::Offset { offset: 5, limit: 3 };
    let past = catalog.instances_page(filter, past).await.unwrap();
    assert_eq!((past.total, past.items.len()), (5, 0));
}
