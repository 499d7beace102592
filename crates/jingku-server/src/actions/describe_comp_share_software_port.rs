use jingku_protocol::SoftwarePort;
use jingku_protocol::actions as api;

use crate::call::Call;
use crate::error::Error;
use crate::software::SOFTWARE;

#[expect(clippy::unused_async, reason = "every action is called alike")]
pub(crate) async fn run(
    _call: &Call<'_>,
    _request: api::DescribeCompShareSoftwarePortRequest,
) -> Result<api::DescribeCompShareSoftwarePortResponse, Error> {
    let ports = SOFTWARE.map(|(software, port)| SoftwarePort { software: software.to_owned(), port });
    Ok(api::DescribeCompShareSoftwarePortResponse { software_port: ports.to_vec() })
}
