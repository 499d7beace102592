use crate::engines::{Engine, on_every_engine};
use crate::setting::{NOW, claim, create, instance, lab};

on_every_engine!(images_and_jobs_are_counted);

async fn images_and_jobs_are_counted(engine: Engine) {
    let catalog = &engine.catalog;
    let empty = catalog.statistics(NOW).await.unwrap().unwrap();
    assert_eq!((empty.images, empty.waiting_jobs, empty.oldest_waiting_at), (0, 0, NOW));
    let owner = lab(catalog).await;
    instance(catalog, owner, "vm2").await;
    create(catalog, owner, "a", "vm").await;
    create(catalog, owner, "b", "vm2").await;
    let waiting = catalog.statistics(NOW).await.unwrap().unwrap();
    assert_eq!((waiting.accounts, waiting.images, waiting.uploads), (1, 2, 0));
    assert_eq!((waiting.waiting_jobs, waiting.running_jobs), (2, 0));
    claim(catalog, "worker", NOW).await.unwrap();
    let running = catalog.statistics(NOW).await.unwrap().unwrap();
    assert_eq!((running.waiting_jobs, running.running_jobs), (1, 1));
}
