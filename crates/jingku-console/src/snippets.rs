//! Commands and programs to copy.

/// Something to copy, and where it is used.
pub(crate) struct Snippet {
    pub(crate) title: &'static str,
    pub(crate) code: String,
}

/// What uses an image of the account. Ids and repositories have only characters that no shell reads.
pub(crate) fn of_image(base_url: &str, id: &str, repository: &str) -> Vec<Snippet> {
    let mut snippets = Vec::new();
    if repository.is_empty() {
        snippets.push(Snippet { title: "CLI", code: format!("jingku image export {id} -o {id}.raw") });
    } else {
        let host = base_url.split_once("://").map_or(base_url, |(_, host)| host).trim_end_matches('/');
        snippets.push(Snippet { title: "Podman", code: format!("podman pull {host}/{repository}") });
        snippets.push(Snippet { title: "CLI", code: format!("jingku image show {id}") });
    }
    let code = format!(
        r#"from ucloud.client import Client

client = Client({{
    "base_url": "{base_url}",
    "public_key": "...",
    "private_key": "...",
}})
reply = client.ucompshare().describe_comp_share_custom_images(
    {{
        "Region": "cn-wlcb",
        "Zone": "cn-wlcb-01",
        "CompShareImageId": "{id}",
    }}
)
print(reply["ImageSet"][0]["Status"])"#
    );
    snippets.push(Snippet { title: "Python SDK", code });
    snippets
}
