//! What many tests check alike.

use jingku_protocol::actions::Action;
use serde_json::Value;

use super::Caller;

impl Caller {
    /// Everything the account can see, to compare before and after.
    pub(crate) async fn everything(&self) -> Vec<Value> {
        self.everything_in(&[]).await
    }

    /// Everything in a place: a strict service does not tell without one.
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

    /// Checks that a call is refused just so, and that nothing the account can see has changed.
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

    /// Checks the rules of `Region`, `Zone` and `ProjectId` that every action with a place has. `params` are those of
    /// a call that succeeds for something in the default zone.
    pub(crate) async fn assert_place_is_checked(&self, action: Action, params: &[(&str, &str)]) {
        for (region, zone, wrong) in [
            ("moon", "", "Region"),
            ("CN-WLCB", "", "Region"),
            ("", "moon", "Zone"),
            ("moon", "cn-wlcb-01", "Region"),
            ("cn-wlcb", "moon", "Zone"),
            ("cn-sh2", "cn-wlcb-01", "Zone"),
        ] {
            let place = [params, &[("Region", region), ("Zone", zone)]].concat();
            self.assert_refused(action, &place, 230, &format!("Params [{wrong}] not available")).await;
        }
        self.assert_project_is_checked(action, params).await;
    }

    /// Checks that a strict service asks for each of `demanded`, in this order. `params` with all of them succeed.
    pub(crate) async fn assert_demanded(
        &self,
        action: Action,
        params: &[(&str, &str)],
        demanded: &[(&str, &str)],
    ) {
        let place = [("Region", "cn-wlcb"), ("Zone", "cn-wlcb-01")];
        let before = self.everything_in(&place).await;
        for (index, (name, _)) in demanded.iter().enumerate() {
            let refusal = (210, format!("Missing params [{name}]"));
            let given = [params, &demanded[..index]].concat();
            assert_eq!(self.refusal(action, &given).await, refusal);
            let empty = [&given[..], &[(name, "")]].concat();
            assert_eq!(self.refusal(action, &empty).await, refusal);
        }
        assert_eq!(self.everything_in(&place).await, before);
        self.ok(action, &[params, demanded].concat()).await;
    }

    /// Checks that a project of somebody else is refused.
    pub(crate) async fn assert_project_is_checked(&self, action: Action, params: &[(&str, &str)]) {
        let foreign = [params, &[("ProjectId", "org-other")]].concat();
        self.assert_refused(action, &foreign, 292, "Project [org-other] not exists").await;
    }
}
