use jingku_protocol::ParamError;
use jingku_protocol::actions as api;

use crate::call::Call;
use crate::error::Error;
use crate::instance;

pub(crate) async fn run(
    call: &Call<'_>,
    request: api::DescribeCompShareJupyterTokenRequest,
) -> Result<api::DescribeCompShareJupyterTokenResponse, Error> {
    let id = request.instance_ids.first().ok_or_else(|| ParamError::Missing("UHostIds".to_owned()))?;
    let (instance, facts) = instance::running_container(call, &request.place, id).await?;
    instance::check_here(call, &instance)?;
    let token = call.library.jupyter_token(&facts).await.ok_or(Error::EngineAway)?;
    let row = api::JupyterToken { instance_id: id.to_string(), jupyter_token: token.clone() };
    Ok(api::DescribeCompShareJupyterTokenResponse { jupyter_token: token, data_set: vec![row] })
}
