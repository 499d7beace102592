//! `jingku review`: the operator approves or refuses images for the community, on the data directory, with or without a
//! server running on it.

use jingku_library::Review;
use serde_json::{Value, json};

use crate::args::{Global, ReviewCommand};
use crate::failure::Failure;
use crate::library::open;
use crate::messages::tr;
use crate::output::{done, print_json, print_table, time};

pub(crate) async fn run(global: &Global, command: ReviewCommand) -> Result<(), Failure> {
    let context = open(global).await?;
    match command {
        ReviewCommand::List => list(global, context.reviews().await?),
        ReviewCommand::Approve { image_id } => {
            context.approve_image(&image_id).await?;
            let text = &tr!("operate-review-approved");
            done(global, &json!({ "CompShareImageId": image_id }), text)
        }
        ReviewCommand::Refuse { image_id, reason } => {
            context.refuse_image(&image_id, &reason).await?;
            let text = &tr!("operate-review-refused");
            done(global, &json!({ "CompShareImageId": image_id }), text)
        }
        ReviewCommand::Recommend { group_id, count } => {
            context.recommend_group(&group_id, count).await?;
            let value = json!({ "GroupId": group_id, "RecommendCount": count });
            done(global, &value, &tr!("operate-review-recommended"))
        }
    }
}

fn list(global: &Global, reviews: Vec<Review>) -> Result<(), Failure> {
    if global.json {
        return print_json(&reviews.iter().map(to_json).collect::<Vec<_>>());
    }
    let headings = [
        tr!("table-image"),
        tr!("table-name"),
        tr!("table-version"),
        tr!("table-account"),
        tr!("table-price"),
        tr!("table-submitted"),
    ];
    let row = |review: Review| {
        let account = format!("{} {}", review.image.account.0, review.image.owner_name);
        let (price, since) = (price(&review), time(review.submitted_at));
        vec![review.image.id, review.community_name, review.image.version_name, account, price, since]
    };
    let none = || tr!("operate-review-none");
    print_table(&headings, reviews.into_iter().map(row).collect(), 1, none)
}

fn price(review: &Review) -> String {
    if review.image.price_cents == 0 {
        return tr!("operate-review-free");
    }
    format!("{}.{:02}", review.image.price_cents / 100, review.image.price_cents % 100)
}

fn to_json(review: &Review) -> Value {
    let image = &review.image;
    // Hundredths are exact.
    json!({ "CompShareImageId": image.id, "Name": image.name, "CommunityImageName": review.community_name,
            "AccountId": image.account.0, "AccountName": image.owner_name, "GroupId": image.group_id,
            "VersionName": image.version_name, "PriceCents": image.price_cents, "Tags": image.tags,
            "Description": image.description, "Bytes": image.size_bytes, "SubmitTime": review.submitted_at })
}
