//! Review commands of the operator: a refused command has a message and changes nothing.

use jingku_library::LibraryError;

use crate::support::{NOW, Service};

fn error_message<T>(outcome: Result<T, LibraryError>) -> String {
    outcome.err().expect("refused").to_string()
}

#[tokio::test]
async fn reviews_are_listed_in_order_of_submission() {
    let service = Service::start().await;
    service.add_images(&[("image-1", NOW), ("image-2", NOW)]).await;
    let (caller, context) = (service.caller(), &service.context);
    assert!(context.reviews().await.unwrap().is_empty());
    let mut groups = Vec::new();
    for (id, time) in [("image-2", NOW), ("image-1", NOW + 1)] {
        service.clock.set(time);
        groups.push(caller.publish(id, &[("Price", "1.5"), ("CommunityImageName", "公开名")]).await);
    }
    let waiting = context.reviews().await.unwrap();
    let seen: Vec<_> = waiting.iter().map(|review| (&*review.image.id, review.submitted_at)).collect();
    assert_eq!(seen, [("image-2", NOW), ("image-1", NOW + 1)]);
    let (review, image) = (&waiting[0], &waiting[0].image);
    assert_eq!((&*image.owner_name, &*review.community_name, &*image.name), ("default", "公开名", "image-2"));
    assert_eq!((&image.group_id, &*image.version_name, image.price_cents), (&groups[0], "v1.0", 150));

    let not_waiting = |id: &str| {
        format!("There is no image {id:?} that waits for review. `jingku review list` shows all that do.")
    };
    context.approve_image("image-2").await.unwrap();
    assert_eq!(error_message(context.approve_image("image-2").await), not_waiting("image-2"));
    assert_eq!(error_message(context.refuse_image("image-2", "x").await), not_waiting("image-2"));
    assert_eq!(error_message(context.approve_image("none").await), not_waiting("none"));
    for reason in [String::new(), " ".to_owned(), "x".repeat(501)] {
        let bad = "A reason has 1 to 500 characters. Say what to change.";
        assert_eq!(error_message(context.refuse_image("image-1", &reason).await), bad);
    }
    assert_eq!(context.reviews().await.unwrap().len(), 1);
    context.refuse_image("image-1", &"原".repeat(500)).await.unwrap();
    context.recommend_group(&groups[0], 5).await.unwrap();
    assert_eq!(
        error_message(context.recommend_group("none", 5).await),
        "There is no group \"none\" in the community."
    );
}
