use jingku_catalog::{ImageWeight, Scope};

use crate::engines::{Engine, on_every_engine};
use crate::setting::{NOW, account, lab, make};

on_every_engine!(weights_are_replaced_and_change_no_list, many_weights_are_saved,);

fn weight(image_id: &str, stored_bytes: i64, unique_bytes: i64) -> ImageWeight {
    ImageWeight { image_id: image_id.to_owned(), stored_bytes, unique_bytes }
}

async fn weights_are_replaced_and_change_no_list(engine: Engine) {
    let catalog = &engine.catalog;
    let owner = lab(catalog).await;
    let stranger = account(catalog, "stranger").await.id;
    for name in ["a", "b"] {
        make(catalog, owner, name, "vm", NOW).await;
    }
    let revision = catalog.account_revision(owner).await.unwrap();
    let weighed = async |id| {
        let image = catalog.weighed_image(owner, id).await.unwrap();
        image.map(|image| (image.name, image.trashed, image.stored_bytes.zip(image.unique_bytes)))
    };
    assert_eq!(weighed("image-a").await, Some(("a".to_owned(), false, None)));
    let both = [weight("image-a", 5, 3), weight("image-b", 4, 2)];
    catalog.save_image_weights(owner, &both).await.unwrap();
    assert_eq!(weighed("image-a").await, Some(("a".to_owned(), false, Some((5, 3)))));
    catalog.save_image_weights(owner, &[weight("image-a", 5, 1), both[1].clone()]).await.unwrap();
    assert_eq!(weighed("image-a").await, Some(("a".to_owned(), false, Some((5, 1)))));
    assert_eq!(weighed("image-b").await, Some(("b".to_owned(), false, Some((4, 2)))));
    assert_eq!(catalog.account_revision(owner).await.unwrap(), revision, "a list looks changed");

    for id in ["image-a", "image-none"] {
        assert_eq!(catalog.weighed_image(stranger, id).await.unwrap(), None);
    }
    catalog.save_image_weights(stranger, &[]).await.unwrap();
    catalog.delete_image(Scope::own(owner), "image-a", NOW).await.unwrap();
    assert_eq!(weighed("image-a").await, Some(("a".to_owned(), true, Some((5, 1)))));
    assert_eq!(weighed("image-none").await, None);
}

/// Also of images that are gone: they are not kept.
async fn many_weights_are_saved(engine: Engine) {
    let catalog = &engine.catalog;
    let owner = lab(catalog).await;
    make(catalog, owner, "0", "vm", NOW).await;
    // Batches of each length.
    let weights: Vec<_> = (0..161).map(|number| weight(&format!("image-{number}"), number, 1)).collect();
    for (of_last, weights) in
        [(Some(0), &weights[..]), (Some(0), &weights[..1]), (Some(7), &[weight("image-0", 7, 7)])]
    {
        catalog.save_image_weights(owner, weights).await.unwrap();
        let image = catalog.weighed_image(owner, "image-0").await.unwrap().unwrap();
        assert_eq!(image.stored_bytes, of_last);
    }
    make(catalog, owner, "160", "vm", NOW).await;
    let image = catalog.weighed_image(owner, "image-160").await.unwrap().unwrap();
    assert_eq!(image.stored_bytes, None, "the row of an image that does not exist was kept");
}
