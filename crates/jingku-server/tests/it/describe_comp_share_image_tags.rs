use jingku_library::{Approve, Category, Community, Config};
use jingku_protocol::actions::Action;
use serde_json::json;

use crate::support::{NOW, Service};

const LIST: Action = Action::DescribeCompShareImageTags;

#[tokio::test]
async fn default_categories_match_the_real_service() {
    let service = Service::start().await;
    let reply = service.caller().ok(LIST, &[]).await;
    let index = ["AIGC热门", "图像/视频生成", "语音/TTS生成", "LLM", "计算机视觉", "科学计算", "其他"];
    assert_eq!(reply["TagIndex"], json!(index));
    let map = reply["TagsMap"].as_object().unwrap();
    let tags: Vec<_> = index.iter().flat_map(|name| map[*name].as_array().unwrap().clone()).collect();
    assert!(map.len() == 7 && tags.len() > 7);
    assert_eq!(reply["Tags"], json!(tags));
}

#[tokio::test]
async fn tags_in_use_are_listed_after_configured_tags() {
    let category = |name: &str, tags: &[&str]| Category {
        name: name.to_owned(),
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
    };
    let categories = vec![category("Lab", &["cv", "nlp"]), category("Both", &["cv"])];
    let community = Community { approve: Approve::Operator, categories };
    let service = Service::with(Config { community, ..Config::default() }).await;
    service.add_images(&[("image-1", NOW), ("image-2", NOW)]).await;
    let caller = service.caller();
    let expected = json!({"Lab": ["cv", "nlp"], "Both": ["cv"]});
    assert_eq!(caller.ok(LIST, &[]).await["TagsMap"], expected);
    caller.publish("image-1", &[("Tags", "['mine', 'cv']")]).await;
    // Tags of a submission in review are not listed.
    assert_eq!(caller.ok(LIST, &[]).await["TagsMap"], expected);
    service.context.library.approve_image("image-1").await.unwrap();
    let reply = caller.ok(LIST, &[]).await;
    assert_eq!(reply["TagIndex"], json!(["Lab", "Both", "其他"]));
    assert_eq!(reply["Tags"], json!(["cv", "nlp", "mine"]));
    assert_eq!(reply["TagsMap"]["其他"], json!(["mine"]));
    caller.assert_project_is_checked(LIST, &[]).await;
}
