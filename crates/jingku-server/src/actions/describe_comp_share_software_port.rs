use jingku_protocol::SoftwarePort;
use jingku_protocol::actions as api;

use crate::call::Call;
use crate::error::Error;

/// Software and ports as documented.
const SOFTWARE: [(&str, u16); 3] = [("JupyterLab", 8888), ("SSH", 22), ("FileBrowser", 443)];

#[expect(clippy::unused_async, reason = "every action is called alike")]
pub(crate) async fn run(
    _call: &Call<'_>,
    _request: api::DescribeCompShareSoftwarePortRequest,
) -> Result<api::DescribeCompShareSoftwarePortResponse, Error> {
    let ports = SOFTWARE.map(|(software, port)| SoftwarePort { software: software.to_owned(), port });
    Ok(api::DescribeCompShareSoftwarePortResponse { software_port: ports.to_vec() })
}
