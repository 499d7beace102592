use std::collections::HashSet;
use std::future::Future;

use jingku_catalog::{AccountId, Catalog, CreateImage, DeleteImage, ImageFilter, NewAccount, Paging, Scope};
use tokio::task::JoinSet;

use crate::engines::{Engine, on_every_engine};
use crate::setting::{NOW, account, claim, create, instance, lab, make, new_image};

on_every_engine!(
    concurrent_accounts_get_a_name_once,
    concurrent_images_get_a_name_once,
    concurrent_images_get_an_instance_once,
    every_job_goes_to_one_worker,
    an_image_is_deleted_once,
    the_total_survives_concurrent_changes,
);

/// Runs `call` for 0, 1, … concurrently, alternating between two processes.
pub(crate) async fn at_once<F, T>(engine: &Engine, calls: usize, call: impl Fn(Catalog, usize) -> F) -> Vec<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    let catalogs = [engine.catalog.clone(), engine.other_process().await];
    let mut tasks = JoinSet::new();
    for number in 0..calls {
        tasks.spawn(call(catalogs[number % 2].clone(), number));
    }
    tasks.join_all().await
}

pub(crate) fn count<T: PartialEq>(all: &[T], one: &T) -> usize {
    all.iter().filter(|other| *other == one).count()
}

async fn concurrent_accounts_get_a_name_once(engine: Engine) {
    let outcomes = at_once(&engine, 20, |catalog, number| async move {
        let project_id = format!("org-{number}");
        catalog.create_account(NewAccount { name: "lab", project_id: &project_id }, NOW).await.unwrap()
    })
    .await;
    assert_eq!(count(&outcomes, &None), 19);
    let accounts = engine.catalog.accounts().await.unwrap();
    assert_eq!(accounts.iter().map(|account| account.id).collect::<Vec<_>>(), [AccountId(1)]);
}

async fn concurrent_images_get_a_name_once(engine: Engine) {
    let owner = account(&engine.catalog, "lab").await.id;
    for number in 0..20 {
        instance(&engine.catalog, owner, &format!("vm-{number}")).await;
    }
    let outcomes = at_once(&engine, 20, move |catalog, number| async move {
        let (image, job, instance) =
            (format!("image-{number}"), format!("job-{number}"), format!("vm-{number}"));
        let new = new_image(&image, "a", &instance);
        catalog.create_image(Scope::own(owner), new, &job, NOW).await.unwrap()
    })
    .await;
    assert_eq!(count(&outcomes, &CreateImage::Created), 1);
    assert_eq!(count(&outcomes, &CreateImage::NameTaken), 19);
}

async fn concurrent_images_get_an_instance_once(engine: Engine) {
    let owner = lab(&engine.catalog).await;
    let outcomes = at_once(&engine, 20, move |catalog, number| async move {
        create(&catalog, owner, &number.to_string(), "vm").await
    })
    .await;
    assert_eq!(count(&outcomes, &CreateImage::Created), 1);
    assert_eq!(count(&outcomes, &CreateImage::InstanceBusy), 19);
}

async fn every_job_goes_to_one_worker(engine: Engine) {
    let owner = account(&engine.catalog, "lab").await.id;
    for number in 0..10 {
        instance(&engine.catalog, owner, &format!("vm-{number}")).await;
        create(&engine.catalog, owner, &number.to_string(), &format!("vm-{number}")).await;
    }
    let claims = at_once(&engine, 12, |catalog, number| async move {
        claim(&catalog, &format!("worker-{number}"), NOW).await.map(|job| job.image_id)
    })
    .await;
    assert_eq!(claims.iter().flatten().collect::<HashSet<_>>().len(), 10);
    assert_eq!(count(&claims, &None), 2);
}

async fn an_image_is_deleted_once(engine: Engine) {
    let owner = lab(&engine.catalog).await;
    make(&engine.catalog, owner, "a", "vm", NOW).await;
    let outcomes = at_once(&engine, 10, move |catalog, _| async move {
        catalog.delete_image(Scope::own(owner), "image-a", NOW).await.unwrap()
    })
    .await;
    assert_eq!(count(&outcomes, &DeleteImage::Deleted), 1);
    assert_eq!(count(&outcomes, &DeleteImage::AlreadyDeleted), 9);
}

async fn the_total_survives_concurrent_changes(engine: Engine) {
    let owner = account(&engine.catalog, "lab").await.id;
    for number in 0..20 {
        instance(&engine.catalog, owner, &format!("vm-{number}")).await;
    }
    at_once(&engine, 20, move |catalog, number| async move {
        let scope = Scope::own(owner);
        create(&catalog, owner, &number.to_string(), &format!("vm-{number}")).await;
        let page = catalog.images_page(scope, ImageFilter::default(), Paging::first(100)).await;
        let page = page.unwrap();
        assert_eq!(page.items.len(), usize::try_from(page.total).unwrap());
        if number % 3 == 0 {
            catalog.delete_image(scope, &format!("image-{number}"), NOW).await.unwrap();
        }
    })
    .await;
    let page = engine
        .catalog
        .images_page(Scope::own(owner), ImageFilter::default(), Paging::first(100))
        .await
        .unwrap();
    assert_eq!((page.total, page.items.len()), (13, 13));
}
