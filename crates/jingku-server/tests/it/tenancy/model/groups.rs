//! The expected content of the community.

use serde_json::{Value, json};

use super::{Image, World, account_name};

/// The groups that a list shows.
#[derive(Clone, Copy, Debug)]
pub(in crate::tenancy) enum Reach {
    /// The caller's groups, including those without a public version.
    Own,
    /// The public groups of one account.
    By(i64),
    /// All public groups.
    Everybody,
}

/// A group with at least one version.
pub(in crate::tenancy) struct Shown<'a> {
    pub(in crate::tenancy) id: &'a str,
    pub(in crate::tenancy) owner: i64,
    pub(in crate::tenancy) public: bool,
    pub(in crate::tenancy) favored: usize,
    /// The version that filters and names refer to: the newest public one, or else the newest.
    pub(in crate::tenancy) lead: &'a Image,
}

impl Shown<'_> {
    pub(in crate::tenancy) fn name(&self) -> &str {
        if self.lead.community_name.is_empty() { &self.lead.name } else { &self.lead.community_name }
    }

    pub(in crate::tenancy) fn author(&self) -> &'static str {
        account_name(self.owner)
    }
}

impl World {
    /// The versions of a group, newest first.
    pub(in crate::tenancy) fn versions(&self, group: &str) -> Vec<&Image> {
        let mut versions: Vec<_> = self.live().filter(|image| image.group == group).collect();
        versions.sort_by_key(|image| image.submission);
        versions.reverse();
        versions
    }

    pub(in crate::tenancy) fn is_public(&self, group: &str) -> bool {
        self.live().any(|image| image.group == group && image.public)
    }

    /// The group, if it has a version.
    pub(in crate::tenancy) fn shown<'a>(&'a self, id: &'a str) -> Option<Shown<'a>> {
        let owner = self.groups.get(id)?.owner;
        let versions = self.versions(id);
        let public = versions.iter().find(|image| image.public).copied();
        let lead = public.or(versions.first().copied())?;
        Some(Shown { id, owner, public: public.is_some(), favored: self.favored(id), lead })
    }

    /// The rows of a list of groups for a viewer, in order.
    pub(in crate::tenancy) fn listed(
        &self,
        viewer: i64,
        reach: Reach,
        zone: Option<&str>,
        wanted: impl Fn(&Shown<'_>) -> bool,
    ) -> Vec<Value> {
        let within = |group: &Shown<'_>| match reach {
            Reach::Own => group.owner == viewer,
            Reach::By(account) => group.public && group.owner == account,
            Reach::Everybody => group.public,
        };
        let held = |image: &&Image| {
            (image.public || matches!(reach, Reach::Own)) && zone.is_none_or(|zone| image.zone == zone)
        };
        let groups = self.groups.keys().filter_map(|id| self.shown(id));
        let mut groups: Vec<_> = groups.filter(|group| within(group) && wanted(group)).collect();
        let place = |group: &Shown<'_>| {
            let lead = group.lead;
            (lead.published, if lead.public { lead.publication } else { lead.submission })
        };
        groups.sort_by_key(|group| std::cmp::Reverse(place(group)));
        let rows = groups.iter().map(|group| {
            let versions = self.versions(group.id);
            let data: Vec<_> = versions.iter().copied().filter(held).take(10).collect();
            (!data.is_empty()).then(|| self.group_row(viewer, group, &data))
        });
        rows.flatten().collect()
    }

    pub(in crate::tenancy) fn group_row(&self, viewer: i64, group: &Shown<'_>, data: &[&Image]) -> Value {
        json!({
            "GroupId": group.id,
            "ImageName": group.name(),
            "FavoritesCount": group.favored,
            "CreatedCount": self.versions(group.id).iter().map(|image| image.starts).sum::<i64>(),
            "IsFavorite": self.favorites.contains_key(&(viewer, group.id.to_owned())),
            "Status": if group.public { "Available" } else { "UnAvailable" },
            "Data": data.iter().map(|image| self.row(image, true)).collect::<Vec<_>>(),
        })
    }

    /// The favorites of an account that are public, last marked first.
    pub(in crate::tenancy) fn favorite_rows(&self, account: i64) -> Vec<Value> {
        let own = self.favorites.iter().filter(|((owner, _), _)| *owner == account);
        let mut own: Vec<_> = own.map(|((_, group), since)| (*since, group)).collect();
        own.sort_by(|a, b| b.cmp(a));
        let newest = |(_, group): (i64, &String)| {
            self.versions(group).into_iter().find(|image| image.public).map(|image| self.row(image, true))
        };
        own.into_iter().filter_map(newest).collect()
    }
}
