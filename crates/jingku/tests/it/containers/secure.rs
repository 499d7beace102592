//! Pulls over TLS.

use std::process::Command;

use jingku_engine::testing::Kind;

use super::Bench;
use crate::authority::Authority;
use crate::home::Ended;

#[test]
fn podman_and_skopeo_pull_over_tls() {
    let Some(mut bench) = Bench::start(Kind::Podman) else { return };
    let image = bench.save("trained");
    let authority = Authority::create(bench.home.path("").as_path());
    bench.server.kill();
    bench.server = bench.home.serve_with(&authority.serve(), &[]);
    let name = format!("{}/{}:latest", bench.server.address(), image["Repository"].as_str().unwrap());
    let credentials = bench.home.key_pair().join(":");
    let folder = authority.trusted.parent().unwrap().to_str().unwrap();
    let pull = |trusted: &str| {
        let mut pull = bench.engine.client();
        Ended::of(pull.args(["pull", "-q", "--cert-dir", trusted, "--creds", &credentials, &name]))
    };
    assert_ne!(pull("/nonexistent").code, Some(0), "a certificate of an unknown authority was accepted");
    pull(folder).succeeded();
    assert_eq!(bench.in_image(&name, "cat /etc/os-release"), bench.exec("cat /etc/os-release"));
    let mut skopeo = Command::new("skopeo");
    skopeo.args(["inspect", "--cert-dir", folder, "--creds", &credentials]).arg(format!("docker://{name}"));
    Ended::of(&mut skopeo).succeeded();
}
