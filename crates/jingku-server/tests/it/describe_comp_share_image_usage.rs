use jingku_library::{Config, DiskFormat, Limit};
use jingku_protocol::actions::Action;
use serde_json::{Value, json};

use crate::support::{DISK_BYTES, INSTANCE, NOW, Service, wait_until};

const USAGE: Action = Action::DescribeCompShareImageUsage;
const DAY: i64 = 24 * 60 * 60;

impl Service {
    /// Runs the background tasks until the use of account 1 was measured at this time.
    async fn measure_at(&self, time: i64) -> Value {
        self.clock.set(time);
        let workers = self.start_workers().await;
        let caller = self.caller();
        wait_until("the use is measured", async || caller.ok(USAGE, &[]).await["MeasureTime"] == time).await;
        workers.stop().await;
        caller.ok(USAGE, &[]).await
    }
}

fn sizes(image: &Value) -> [u64; 3] {
    ["LogicalBytes", "StoredBytes", "UniqueBytes"].map(|name| image[name].as_u64().unwrap())
}

#[tokio::test]
async fn images_are_measured_once_a_day_and_only_among_those_of_the_account() {
    let service = Service::start().await;
    let (caller, (account, stranger)) = (service.caller(), service.stranger().await);
    let nothing = caller.ok(USAGE, &[]).await;
    assert_eq!((&nothing["MeasureTime"], &nothing["SampleSet"]), (&json!(0), &json!([])), "{nothing}");
    let one = service.make(INSTANCE, "one").await;
    // Another account has the same data, which must not show.
    service.instance_of(account, "uhost-theirs", &service.disk("same.raw", DiskFormat::Raw, 1), None).await;
    let theirs = stranger.create("uhost-theirs", "theirs").await;
    let workers = service.start_workers().await;
    stranger.wait_while_making(&theirs).await;
    workers.stop().await;
    let first = service.measure_at(NOW + DAY).await;
    let [logical, stored, unique] = sizes(&first["ImageSet"][0]);
    assert_eq!((logical, &first["ImageSet"][0]["Name"]), (DISK_BYTES as u64, &json!("one")), "{first}");
    assert!(stored > 0 && stored <= logical && unique == stored, "{first}");
    assert_eq!(sizes(&first["Current"]), [logical, stored, stored], "{first}");

    // A copy in the trash shares everything.
    let copy = [("CompShareImageId", &*one), ("TargetImageName", "two")];
    let copy = caller.ok(Action::CopyCompShareCustomImage, &copy).await;
    let two = copy["NewCompShareImageId"].as_str().unwrap();
    caller.ok(Action::TerminateCompShareCustomImage, &[("CompShareImageId", two)]).await;
    let second = service.measure_at(NOW + 2 * DAY).await;
    assert_eq!(sizes(&second["Current"]), [2 * logical, stored, 0], "{second}");
    assert_eq!((&second["Current"]["TrashBytes"], &second["Current"]["ImageCount"]), (&json!(0), &json!(2)));
    assert_eq!(second["ImageSet"].as_array().unwrap().len(), 2);
    let times: Vec<_> = second["SampleSet"].as_array().unwrap().iter().map(|one| &one["Time"]).collect();
    assert_eq!(times[times.len() - 2..], [&json!(NOW + DAY), &json!(NOW + 2 * DAY)]);
    let newest = caller.ok(USAGE, &[("Days", "1")]).await;
    assert_eq!(newest["SampleSet"], json!([second["Current"]]));

    caller.ok(Action::TerminateCompShareCustomImage, &[("CompShareImageId", &one)]).await;
    // After a change, it is measured again on the same day, an hour later.
    let third = service.measure_at(NOW + 2 * DAY + 3600).await;
    assert_eq!(third["Current"]["TrashBytes"], json!(stored), "{third}");
    assert_eq!(third["SampleSet"].as_array().unwrap().len(), times.len());
}

#[tokio::test]
async fn every_image_has_its_use() {
    let service = Service::start().await;
    let (caller, (_, stranger)) = (service.caller(), service.stranger().await);
    let one = service.make(INSTANCE, "one").await;
    let of = async |id: &str| caller.ok(USAGE, &[("CompShareImageId", id)]).await;
    assert_eq!(of(&one).await["ImageSet"], json!([]), "it was not measured yet");
    service.measure_at(NOW + DAY).await;
    let alone = of(&one).await;
    let [logical, stored, unique] = sizes(&alone["ImageSet"][0]);
    assert_eq!((logical, unique), (DISK_BYTES as u64, stored), "{alone}");

    // More than are listed, and one of them in the trash.
    let mut ids = vec![one];
    for number in 0..101 {
        let copy = [("CompShareImageId", &*ids[0]), ("TargetImageName", &format!("copy-{number}"))];
        let copied = caller.ok(Action::CopyCompShareCustomImage, &copy).await;
        ids.push(copied["NewCompShareImageId"].as_str().unwrap().to_owned());
    }
    caller.ok(Action::TerminateCompShareCustomImage, &[("CompShareImageId", &ids[5])]).await;
    let all = service.measure_at(NOW + 2 * DAY).await;
    assert_eq!((all["ImageSet"].as_array().unwrap().len(), &all["OtherImages"]["Count"]), (100, &json!(2)));
    for (place, id) in ids.iter().enumerate() {
        let shown = of(id).await;
        let [image] = &shown["ImageSet"].as_array().unwrap()[..] else { panic!("{shown}") };
        assert_eq!((&image["CompShareImageId"], sizes(image)), (&json!(id), [logical, stored, 0]), "{image}");
        assert_eq!((&image["InTrash"], &shown["OtherImages"]["Count"]), (&json!(place == 5), &json!(0)));
    }

    let foreign = [("CompShareImageId", &*ids[0])];
    let message = format!("Resource not exist [{}]", ids[0]);
    stranger.assert_refused(USAGE, &foreign, 8039, &message).await;
    caller.ok(Action::PurgeCompShareTrashedImages, &[("CompShareImageIds.0", &ids[5])]).await;
    let message = format!("Resource not exist [{}]", ids[5]);
    caller.assert_refused(USAGE, &[("CompShareImageId", &ids[5])], 8039, &message).await;
}

#[tokio::test]
async fn limits_are_those_of_now() {
    let service = Service::with(toml::from_str::<Config>("[limits]\nimages = 5").unwrap()).await;
    let caller = service.caller();
    service.add_images(&[("image-1", NOW), ("image-2", NOW)]).await;
    caller.ok(Action::TerminateCompShareCustomImage, &[("CompShareImageId", "image-1")]).await;
    let limits = caller.ok(USAGE, &[]).await["LimitSet"].clone();
    assert_eq!(limits[0], json!({ "Name": "Images", "Used": 1, "Max": 5 }));
    assert_eq!((&limits[1]["Name"], &limits[1]["Used"]), (&json!("Trashed"), &json!(1)), "{limits}");
    service.context.library.set_account_limits(1, &[(Limit::Images, Some(9))]).await.unwrap();
    assert_eq!(caller.ok(USAGE, &[]).await["LimitSet"][0]["Max"], 9);
}

#[tokio::test]
async fn days_are_checked() {
    let service = Service::start().await;
    for days in ["0", "401", "x"] {
        service.caller().assert_refused(USAGE, &[("Days", days)], 230, "Params [Days] not available").await;
    }
    service.caller().ok(USAGE, &[("Days", "400")]).await;
}
