//! Checks that many tests share.

use jingku_protocol::actions::Action;
use serde_json::Value;

use super::Caller;

impl Caller {
    /// Everything the account can list, to compare before and after a call.
    pub(crate) async fn everything(&self) -> Vec<Value> {
        self.everything_in(&[]).await
    }

    /// The same for one region and zone, which a strict server requires.
    async fn everything_in(&self, place: &[(&str, &str)]) -> Vec<Value> {
        let mut seen = Vec::new();
        for list in [
            Action::DescribeCompShareCustomImages,
            Action::DescribeCompShareImages,
            Action::DescribeCompShareInstance,
            Action::DescribeCompShareSharingImages,
        ] {
            seen.push(self.ok(list, &[place, &[("Limit", "100")]].concat()).await);
        }
        seen
    }

    /// Checks that a call is refused with this code and message, and that it changes nothing the account can list.
    pub(crate) async fn assert_refused(
        &self,
        action: Action,
        params: &[(&str, &str)],
        code: i64,
        message: &str,
    ) {
        let before = self.everything().await;
        let refusal = self.refusal(action, params).await;
        assert_eq!(refusal, (code, message.to_owned()), "{action:?} {params:?}");
        assert_eq!(self.everything().await, before, "{action:?} {params:?}");
    }

    /// Checks the validation of `Region`, `Zone` and `ProjectId`, which is the same for every action that takes a
    /// region and a zone. With `params` alone, these three are valid for the default zone.
    pub(crate) async fn assert_place_is_checked(&self, action: Action, params: &[(&str, &str)]) {
        for (region, zone, invalid) in [
            ("moon", "", "Region"),
            ("CN-WLCB", "", "Region"),
            ("", "moon", "Zone"),
            ("moon", "cn-wlcb-01", "Region"),
            ("cn-wlcb", "moon", "Zone"),
            ("cn-sh2", "cn-wlcb-01", "Zone"),
        ] {
            let place = [params, &[("Region", region), ("Zone", zone)]].concat();
            self.assert_refused(action, &place, 230, &format!("Params [{invalid}] not available")).await;
        }
        self.assert_project_is_checked(action, params).await;
    }

    /// Checks that a strict server requires each of `required`, in this order, and that the call succeeds with `params`
    /// and all of them.
    pub(crate) async fn assert_required(
        &self,
        action: Action,
        params: &[(&str, &str)],
        required: &[(&str, &str)],
    ) {
        let place = [("Region", "cn-wlcb"), ("Zone", "cn-wlcb-01")];
        let before = self.everything_in(&place).await;
        for (index, (name, _)) in required.iter().enumerate() {
            let refusal = (210, format!("Missing params [{name}]"));
            let given = [params, &required[..index]].concat();
            assert_eq!(self.refusal(action, &given).await, refusal);
            let empty = [&given[..], &[(name, "")]].concat();
            assert_eq!(self.refusal(action, &empty).await, refusal);
        }
        assert_eq!(self.everything_in(&place).await, before);
        self.ok(action, &[params, required].concat()).await;
    }

    /// Checks that the project of another account is refused.
    pub(crate) async fn assert_project_is_checked(&self, action: Action, params: &[(&str, &str)]) {
        let foreign = [params, &[("ProjectId", "org-other")]].concat();
        self.assert_refused(action, &foreign, 292, "Project [org-other] not exists").await;
    }
}
