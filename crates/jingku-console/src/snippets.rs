//! Commands and programs to copy.

use jingku_protocol::Image;

use crate::console::Caller;
use crate::facts::Origin;

/// Something to copy, and where it is used.
pub(crate) struct Snippet {
    pub(crate) title: &'static str,
    pub(crate) code: String,
}

/// What takes the content of an image or asks for it.
pub(crate) fn of_image(caller: &Caller, origin: Origin, image: &Image) -> Vec<Snippet> {
    let context = &caller.console.context;
    let mut snippets = of_content(context.base_url(), &image.comp_share_image_id, &image.repository);
    if origin == Origin::Own {
        let region = context.library.zones.find(&image.zone).map_or("", |zone| &zone.region);
        snippets.push(of_own(context.base_url(), &image.comp_share_image_id, [region, &image.zone]));
    }
    snippets
}

/// What takes the content of an image. Ids and repositories have only characters that no shell reads.
fn of_content(base_url: &str, id: &str, repository: &str) -> Vec<Snippet> {
    let mut snippets = Vec::new();
    if repository.is_empty() {
        snippets.push(Snippet { title: "CLI", code: format!("jingku image export {id} -o {id}.raw") });
    } else {
        let host = base_url.split_once("://").map_or(base_url, |(_, host)| host).trim_end_matches('/');
        snippets.push(Snippet { title: "Podman", code: format!("podman pull {host}/{repository}") });
        snippets.push(Snippet { title: "CLI", code: format!("jingku image show {id}") });
    }
    snippets
}

/// What asks for an image of the account, in its region and zone.
fn of_own(base_url: &str, id: &str, [region, zone]: [&str; 2]) -> Snippet {
    let code = format!(
        r#"from ucloud.client import Client

client = Client({{
    "base_url": "{base_url}",
    "public_key": "...",
    "private_key": "...",
}})
reply = client.ucompshare().describe_comp_share_custom_images(
    {{
        "Region": "{region}",
        "Zone": "{zone}",
        "CompShareImageId": "{id}",
    }}
)
print(reply["ImageSet"][0]["Status"])"#
    );
    Snippet { title: "Python SDK", code }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snippets_name_the_server_and_the_place_of_the_image() {
        let url = "https://images.example.com";
        let container = of_content(url, "compshareImage-1", "lab/env");
        assert_eq!(container[0].code, "podman pull images.example.com/lab/env");
        assert_eq!(of_content(url, "compshareImage-1", "")[0].title, "CLI");
        let own = of_own(url, "compshareImage-1", ["lab", "lab-01"]).code;
        for part in
            ["\"base_url\": \"https://images.example.com\"", "\"Region\": \"lab\"", "\"Zone\": \"lab-01\""]
        {
            assert!(own.contains(part), "{own}");
        }
    }
}
