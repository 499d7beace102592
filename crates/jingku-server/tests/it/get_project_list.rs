use jingku_protocol::actions::Action;
use serde_json::json;

use crate::support::{NOW, Service};

const PROJECTS: Action = Action::GetProjectList;

#[tokio::test]
async fn every_account_has_one_project_of_its_own() {
    let service = Service::strict().await;
    let (_, stranger) = service.stranger().await;
    let mut ids = Vec::new();
    for caller in [service.caller(), stranger] {
        let reply = caller.ok(PROJECTS, &[]).await;
        let id = reply["ProjectSet"][0]["ProjectId"].as_str().unwrap();
        assert!(id.starts_with("org-"), "{id}");
        let project = json!({
            "ProjectId": id, "ProjectName": "Default", "ParentId": "", "ParentName": "", "CreateTime": NOW,
            "IsDefault": true, "ResourceCount": 0, "MemberCount": 1,
        });
        assert_eq!((&reply["ProjectCount"], &reply["ProjectSet"]), (&json!(1), &json!([project])));
        // Clients send the id with later calls.
        caller.ok(PROJECTS, &[("ProjectId", id)]).await;
        ids.push(id.to_owned());
    }
    assert_ne!(ids[0], ids[1]);
    let foreign = service.caller().refusal(PROJECTS, &[("ProjectId", &ids[1])]).await;
    assert_eq!(foreign, (292, format!("Project [{}] not exists", ids[1])));
}
