//! Instances that the API creates, without an engine: their operations begin, and a test says how they end.

use jingku_catalog::{Operation, OperationEnd, PodState};
use jingku_library::{Config, ContainerSettings};
use jingku_protocol::actions::Action;

use super::Service;

/// A key as OpenSSH writes it.
pub(crate) const SSH_KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJrYnYq5kFAcWnSgqWnXKfCyvXqlmB2nTkyBvdoDmpxB lab";

/// A configuration that allows instances to be created, with an engine that does not answer.
pub(crate) fn creating() -> Config {
    let containers = ContainerSettings {
        create: true,
        engine: Some("unix:///nowhere/engine.sock".to_owned()),
        ..ContainerSettings::default()
    };
    Config { containers, ..Config::default() }
}

/// The parameters of a small instance.
pub(crate) fn small(image: &str) -> Vec<(&'static str, &str)> {
    vec![("GpuType", "CPU"), ("GPU", "1"), ("CPU", "1"), ("Memory", "1024"), ("CompShareImageId", image)]
}

impl Service {
    /// Creates an instance of account 1 from an image, and returns its id.
    pub(crate) async fn new_pod(&self, image: &str) -> String {
        let reply = self.caller().ok(Action::CreateCompShareInstance, &small(image)).await;
        reply["UHostIds"][0].as_str().unwrap().to_owned()
    }

    /// Ends the operation of an instance.
    pub(crate) async fn end_operation(&self, id: &str, operation: Operation, state: PodState) {
        let end = OperationEnd { state, failed_reason: "", container: None, disk: None };
        let catalog = &self.context.library.catalog;
        let now = self.context.library.clock.now();
        assert!(catalog.end_operation(id, operation, end, now).await.unwrap());
    }

    /// Creates an instance in a state, and returns its id.
    pub(crate) async fn pod_in(&self, state: PodState) -> String {
        let image = self.container_image("base").await;
        let id = self.new_pod(&image).await;
        self.end_operation(&id, Operation::Create, state).await;
        id
    }

    /// The state of an instance of account 1; `None` if it has no such instance.
    pub(crate) async fn pod_state(&self, id: &str) -> Option<String> {
        let reply = self.caller().ok(Action::DescribeCompShareInstance, &[("UHostIds.0", id)]).await;
        Some(reply["UHostSet"].get(0)?["State"].as_str()?.to_owned())
    }
}
