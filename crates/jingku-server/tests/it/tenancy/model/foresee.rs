//! The expected outcome of a call.

use jingku_protocol::RetCode;

use super::change::{Call, PlacementChange, call_key};
use super::{Image, Refusal, Status, World, bad, not_found, not_ready};

impl World {
    /// Predicts whether a call succeeds, or its refusal.
    pub(in crate::tenancy) fn foresee(&self, who: i64, call: &Call) -> Result<(), Refusal> {
        let own = |id: &str| self.own(who, id).ok_or_else(|| not_found(id));
        match call {
            Call::Update { id, name, public, group, version, .. } => {
                let image = own(id)?;
                if let Some(name) = name
                    && image.status != Status::UnAvailable
                    && self.holds_name(who, name, id)
                {
                    return Err(bad("Name"));
                }
                let wanted = PlacementChange { public: *public, group: group.as_deref(), version: *version };
                self.placement(image, &wanted).map(drop)
            }
            Call::Publish { id, group, version, .. } => {
                let image = own(id)?;
                if image.is_submitted() {
                    let before = self.answers.contains_key(&call_key(who, call));
                    return if before { Ok(()) } else { Err(bad("CompShareImageId")) };
                }
                let wanted =
                    PlacementChange { public: Some(true), group: group.as_deref(), version: *version };
                self.placement(image, &wanted).map(drop)
            }
            Call::Terminate(id) if self.was_own(who, id) => Ok(()),
            Call::Terminate(id) if own(id)?.is_submitted() => Err(bad("CompShareImageId")),
            Call::Terminate(_) => Ok(()),
            Call::Share { id, add, remove } => self.foresee_share(who, id, add, remove),
            Call::Copy { id, name } => {
                let image = own(id)?;
                if self.copied_before(who, &call_key(who, call)).is_some() {
                    return Ok(());
                }
                require_complete(image)?;
                let taken = name.is_some_and(|name| self.holds_name(who, name, ""));
                if taken { Err(bad("TargetImageName")) } else { Ok(()) }
            }
            Call::Sync { id, .. } => require_complete(own(id)?),
            Call::Create { instance, name } => {
                if !self.instances.iter().any(|known| known.owner == who && known.id == *instance) {
                    return Err(not_found(instance));
                }
                if self.is_busy(instance) {
                    let code = RetCode::InstanceMakingImage.code();
                    return Err((code, format!("UHost [{instance}] is making image")));
                }
                if self.holds_name(who, name, "") { Err(bad("Name")) } else { Ok(()) }
            }
            Call::Favor(group) if self.is_public(group) => Ok(()),
            Call::Unfavor(group)
                if self.is_public(group) || self.favorites.contains_key(&(who, group.clone())) =>
            {
                Ok(())
            }
            Call::Favor(group) | Call::Unfavor(group) => Err(not_found(group)),
            Call::FavorImage(id) | Call::UnfavorImage(id) => {
                self.image(id).filter(|image| image.public).map(drop).ok_or_else(|| not_found(id))
            }
        }
    }

    /// Whether the account deleted the image. A sequence is shorter than the time for which deleting again succeeds.
    pub(in crate::tenancy) fn was_own(&self, who: i64, id: &str) -> bool {
        self.images.iter().any(|image| image.id == id && image.deleted && image.owner == who)
    }

    fn foresee_share(&self, who: i64, id: &str, add: &[i64], remove: &[i64]) -> Result<(), Refusal> {
        if add.iter().any(|account| remove.contains(account)) {
            return Err(bad("RemoveAccounts"));
        }
        let image = self.image(id).ok_or_else(|| not_found(id))?;
        if image.owner != who {
            let text = format!("Image [{id}] is shared with this account and cannot be shared on");
            let shared = image.shares.contains_key(&who);
            return Err(if shared { (RetCode::ReshareRefused.code(), text) } else { not_found(id) });
        }
        if !add.is_empty() && image.status != Status::Available { Err(not_ready(id)) } else { Ok(()) }
    }

    /// The group and the version name that an image gets; an empty group stands for a new one.
    pub(super) fn placement(
        &self,
        image: &Image,
        wanted: &PlacementChange<'_>,
    ) -> Result<(String, String), Refusal> {
        let submits = wanted.public == Some(true) && !image.is_submitted();
        if submits {
            require_complete(image)?;
        }
        let group = match wanted.group {
            Some(group) if group != image.group => {
                let own = self.groups.get(group).is_some_and(|known| known.owner == image.owner);
                if own { group } else { return Err(not_found(group)) }
            }
            _ => &image.group,
        };
        let others =
            || self.live().filter(|other| !group.is_empty() && other.group == group && other.id != image.id);
        let version = wanted.version.unwrap_or(&image.version);
        let taken = !version.is_empty() && others().any(|other| other.version == version);
        if taken && (wanted.version.is_some() || !submits) {
            return Err((RetCode::VersionTaken.code(), format!("Version [{version}] already exists")));
        }
        if !submits || (!version.is_empty() && !taken) {
            return Ok((group.to_owned(), version.to_owned()));
        }
        // The default version follows the highest number in the group, which may already contain the image.
        let own = (image.group == group && !group.is_empty()).then_some(image);
        let numbers = others()
            .chain(own)
            .filter_map(|other| other.version.strip_prefix('v')?.strip_suffix(".0")?.parse::<u32>().ok());
        Ok((group.to_owned(), format!("v{}.0", numbers.max().unwrap_or(0) + 1)))
    }
}

fn require_complete(image: &Image) -> Result<(), Refusal> {
    if image.status.is_whole() { Ok(()) } else { Err(not_ready(&image.id)) }
}
