//! The state of an instance that the API created.

use jingku_catalog::{Instance, Operation, Pod};

/// The state of an instance that the API created, as the API shows it.
pub fn shown_state(instance: &Instance, pod: &Pod) -> &'static str {
    match pod.operation {
        // Never `Install`, at which the official CLI stops waiting.
        Some(Operation::Create | Operation::Reinstall) => "Initializing",
        Some(Operation::Start) => "Starting",
        Some(Operation::Stop | Operation::Terminate) => "Stopping",
        Some(Operation::Reboot) => "Rebooting",
        Some(Operation::Resize) => "Resizing",
        None if instance.image_in_making.is_some() => "ImageMaking",
        None => pod.state.as_str(),
    }
}
