//! The parameters of a call on the wire.

use super::Call;

/// The parameters of a call.
pub(in crate::tenancy) fn params(call: &Call) -> Vec<(String, String)> {
    let mut params = Vec::new();
    let mut add = |name: &str, value: Option<String>| {
        params.extend(value.map(|value| (name.to_owned(), value)));
    };
    match call {
        Call::Update { id, name, tags, public, price, group, version } => {
            add("CompShareImageId", Some(id.clone()));
            add("Name", name.map(str::to_owned));
            add("Visibility", public.map(|public| u8::from(public).to_string()));
            add("Price", price.map(|price| price.to_string()));
            add("GroupId", group.clone());
            add("VersionName", version.map(str::to_owned));
            list(&mut add, "Tags", tags.as_deref());
        }
        Call::Publish { id, group, version, community_name, tags, price } => {
            add("CompShareImageId", Some(id.clone()));
            add("GroupId", group.clone());
            add("VersionName", version.map(str::to_owned));
            add("CommunityImageName", community_name.map(str::to_owned));
            add("Price", price.map(|price| price.to_string()));
            list(&mut add, "Tags", tags.as_deref());
        }
        Call::Terminate(id) | Call::FavorImage(id) | Call::UnfavorImage(id) => {
            add("CompShareImageId", Some(id.clone()));
        }
        Call::Favor(group) | Call::Unfavor(group) => add("GroupId", Some(group.clone())),
        Call::Share { id, add: more, remove } => {
            add("CompShareImageId", Some(id.clone()));
            list(&mut add, "AddAccounts", Some(more));
            list(&mut add, "RemoveAccounts", Some(remove));
        }
        Call::Copy { id, name } => {
            add("CompShareImageId", Some(id.clone()));
            add("TargetImageName", name.map(str::to_owned));
        }
        Call::Sync { id, zones, name } => {
            add("SourceCompShareImageId", Some(id.clone()));
            add("TargetImageName", name.map(str::to_owned));
            list(&mut add, "TargetZoneIds", Some(zones));
        }
        Call::Create { instance, name } => {
            add("UHostId", Some(instance.clone()));
            add("Name", Some((*name).to_owned()));
        }
    }
    params
}

fn list<T: ToString>(add: &mut impl FnMut(&str, Option<String>), name: &str, items: Option<&[T]>) {
    for (index, item) in items.unwrap_or_default().iter().enumerate() {
        add(&format!("{name}.{index}"), Some(item.to_string()));
    }
}
