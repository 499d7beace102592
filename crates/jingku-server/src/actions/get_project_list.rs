use jingku_protocol::actions as api;

use crate::call::Call;
use crate::error::Error;

/// Lists the single project of the account.
#[expect(clippy::unused_async, reason = "every action is called alike")]
pub(crate) async fn run(
    call: &Call<'_>,
    _request: api::GetProjectListRequest,
) -> Result<api::GetProjectListResponse, Error> {
    let account = call.account();
    let project = api::Project {
        project_id: account.project_id.clone(),
        project_name: "Default".to_owned(),
        create_time: account.created_at,
        is_default: true,
        member_count: 1,
        ..api::Project::default()
    };
    Ok(api::GetProjectListResponse { project_count: 1, project_set: vec![project] })
}
