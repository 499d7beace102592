//! Instances with GPUs. The GPUs are made up: each is a device node, a variable and a folder of a driver.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use compshare::actions::CreateCompShareInstanceRequest;
use jingku_engine::testing::{Kind, TestEngine};
use serde_json::json;

use super::{Host, code};
use crate::client::block_on;

/// What the operator offers.
const CONFIG: &str = r#"
[containers]
create = true
[[containers.host.gpus]]
type = "4090"
devices = ["example.com/gpu=0", "example.com/gpu=1", "example.com/gpu=2"]
memory_gb = 24
"#;
const GPUS: u8 = 3;

fn write_specs(folder: &Path) {
    let device = |number: u8| {
        let driver = folder.join(format!("driver-{number}"));
        fs::create_dir(&driver).unwrap();
        json!({ "name": number.to_string(), "containerEdits": {
            "deviceNodes": [{
                "path": format!("/dev/gpu{number}"), "hostPath": "/dev/null", "type": "c", "major": 1, "minor": 3,
            }],
            "env": [format!("GPU_{number}=given")],
            "mounts": [{ "hostPath": driver, "containerPath": format!("/driver/{number}"), "options": ["ro", "bind"] }],
        }})
    };
    let devices: Vec<_> = (0..GPUS).map(device).collect();
    let spec = json!({ "cdiVersion": "0.5.0", "kind": "example.com/gpu", "devices": devices });
    fs::write(folder.join("example.json"), spec.to_string()).unwrap();
}

fn start() -> Option<Host> {
    Some(Host::on(TestEngine::start_with_cdi(write_specs)?, CONFIG))
}

impl Host {
    fn with_gpus(&self, count: i64) -> CreateCompShareInstanceRequest {
        CreateCompShareInstanceRequest {
            gpu_type: "4090".into(),
            gpu: Some(count.into()),
            ..self.request("train")
        }
    }

    /// The GPUs that the container of an instance has: all that belongs to them, and nothing of another.
    fn gpus(&self, id: &str) -> BTreeSet<u8> {
        let numbers = |command: &str| -> BTreeSet<u8> {
            self.exec(id, command).lines().map(|line| line.parse().unwrap()).collect()
        };
        let gpus = numbers("ls /dev | sed -n s/^gpu//p");
        assert_eq!(numbers("tr '\\0' '\\n' < /proc/1/environ | sed -n 's/^GPU_\\(.\\)=given$/\\1/p'"), gpus);
        assert_eq!(numbers("ls /driver"), gpus);
        for gpu in &gpus {
            self.exec(id, &format!("echo work > /dev/gpu{gpu}"));
        }
        gpus
    }

    fn stop_and_wait(&self, id: &str) {
        self.stop(id).unwrap();
        self.until_state(id, "Stopped");
    }

    fn start_and_wait(&self, id: &str) {
        self.begin_start(id).unwrap();
        self.until_state(id, "Running");
    }
}

#[test]
fn an_instance_has_its_gpus_for_itself() {
    let Some(host) = start() else { return };
    let (one, two) = (host.create_as(&host.with_gpus(1)), host.create_as(&host.with_gpus(2)));
    let (of_one, of_two) = (host.gpus(&one), host.gpus(&two));
    assert_eq!((of_one.len(), of_two.len()), (1, 2));
    assert!(of_one.is_disjoint(&of_two), "{of_one:?} {of_two:?}");
    let row = host.row(&two).unwrap();
    assert_eq!(
        (&*row.gpu_type, row.gpu, row.graphics_memory.map(|memory| memory.value)),
        ("4090", 2, Some(24))
    );
    let refused = |count| {
        let refused = block_on(host.client().create_comp_share_instance(&host.with_gpus(count)));
        refused.unwrap_err().ret_code().unwrap()
    };
    assert_eq!((refused(1), refused(4)), (226_604, 230));

    host.reboot(&one).unwrap();
    host.until_state(&one, "Running");
    host.stop_and_wait(&two);
    host.start_and_wait(&two);
    assert_eq!((host.gpus(&one), host.gpus(&two)), (of_one.clone(), of_two.clone()));

    // Another image in a new container.
    host.stop_and_wait(&two);
    let next = host.save("next", "echo three > /root/answer");
    host.reinstall(&two, &next).unwrap();
    host.until_state(&two, "Running");
    assert_eq!((host.exec(&two, "cat /root/answer"), host.gpus(&two)), ("three".to_owned(), of_two.clone()));

    // A stopped instance waits for the one that took its GPU meanwhile.
    host.stop_and_wait(&one);
    let third = host.create_as(&host.with_gpus(1));
    assert_eq!(host.gpus(&third), of_one);
    assert_eq!(code(host.begin_start(&one)), 8357);
    host.stop_and_wait(&third);
    host.start_and_wait(&one);
    assert_eq!(host.gpus(&one), of_one);

    for id in [&one, &two] {
        host.stop_and_wait(id);
    }
    for id in [&one, &two, &third] {
        host.terminate(id).unwrap();
    }
    let all = host.create_as(&host.with_gpus(3));
    assert_eq!(host.gpus(&all), (0..GPUS).collect());
    host.stop_and_wait(&all);
    host.terminate(&all).unwrap();
    host.assert_clean("the instances ended");
}

#[test]
fn each_gpu_goes_to_one_of_several_calls() {
    let Some(host) = start() else { return };
    let host = &host;
    let created: Vec<Option<String>> = std::thread::scope(|scope| {
        let one = || scope.spawn(|| block_on(host.client().create_comp_share_instance(&host.with_gpus(1))));
        let begun: Vec<_> = (0..2 * GPUS).map(|_| one()).collect();
        let outcome =
            |created: Result<compshare::actions::CreateCompShareInstanceResponse, compshare::Error>| {
                created.map_err(|error| assert_eq!(error.ret_code(), Some(226_604))).ok()?.instance_ids.pop()
            };
        begun.into_iter().map(|begun| outcome(begun.join().unwrap())).collect()
    });
    let ids: Vec<String> = created.into_iter().flatten().collect();
    assert_eq!(ids.len(), usize::from(GPUS));
    let mut gpus = BTreeSet::new();
    for id in &ids {
        host.until_state(id, "Running");
        gpus.extend(host.gpus(id));
    }
    assert_eq!(gpus, (0..GPUS).collect());
    for id in &ids {
        host.stop_and_wait(id);
        host.terminate(id).unwrap();
    }
    host.assert_clean("the instances ended");
}

/// Engines of Debian 12.
#[test]
fn an_engine_without_cdi_is_a_reason() {
    for kind in [Kind::Podman, Kind::Docker] {
        let Some(engine) = TestEngine::start(kind) else { continue };
        let host = Host::on(engine, CONFIG);
        let created = block_on(host.client().create_comp_share_instance(&host.with_gpus(1))).unwrap();
        let id = &created.instance_ids[0];
        host.until_state(id, "Install Fail");
        let reason = host.row(id).unwrap().failed_reason;
        assert!(reason.contains("cannot give GPUs by their CDI names"), "{kind:?}: {reason}");
        host.terminate(id).unwrap();
        host.assert_clean("the engine knows no CDI");
    }
}
