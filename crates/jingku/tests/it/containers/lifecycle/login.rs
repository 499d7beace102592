//! People sign in to instances with the real `ssh`, at a real `sshd` of Debian.

use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use compshare::actions::CreateCompShareInstanceRequest;
use jingku_engine::testing::{Kind, TestEngine};

use super::Host;
use crate::home::{Ended, Home, until};

/// Files of Debian that an SSH server does not need.
const WITHOUT: [&str; 4] =
    ["./usr/lib/python3*", "./usr/share/doc", "./usr/share/locale", "./usr/share/perl*"];
/// What the scripts of Debian's packages do, and what people do to have an SSH server in a container.
const SET_UP: &str = r"
set -e
ln -s bash /usr/bin/sh
cd /usr/share/base-passwd
cp passwd.master /etc/passwd
cp group.master /etc/group
echo 'sshd:x:100:65534::/run/sshd:/usr/sbin/nologin' >> /etc/passwd
pwconv
cd /etc/pam.d
for kind in auth account password session; do echo $kind required pam_unix.so > common-$kind; done
cp common-session common-session-noninteractive
sed -i '/pam_loginuid/s/required/optional/' sshd
cp /usr/share/openssh/sshd_config /etc/ssh
echo 'PermitRootLogin yes' > /etc/ssh/sshd_config.d/root.conf
mkdir -p /run/sshd
ssh-keygen -A
";
const PASSWORD: &str = "Corr3ct:horse";

/// How somebody signs in.
enum Proof<'a> {
    /// With the private key in this file.
    Key(&'a str),
    Password(&'a str),
}

impl Host {
    /// Makes an image of a container that runs an SSH server.
    fn save_ssh_server(&self, debian: &std::path::Path) -> String {
        self.engine.import("debian", debian, &WITHOUT);
        let run = |args: &[&str]| self.engine.run(&[&["run", "--network=none"], args].concat());
        run(&["--name", "set-up", "debian", "/bin/bash", "-c", SET_UP]);
        self.engine.run(&["commit", "-q", "set-up", "ssh-server"]);
        let label = "jingku.instance=cpod-ssh";
        run(&["-d", "--name", "ssh", "--label", label, "ssh-server", "/usr/sbin/sshd", "-D", "-p", "23"]);
        until("the container is an instance", || self.row("cpod-ssh").is_some());
        let image = self.home.make("cpod-ssh", "ssh");
        let row = self.home.json(&["image", "show", &image]);
        let left_out = row["LeftOut"]["Paths"].as_array().unwrap();
        assert!(left_out.iter().any(|left| left["Path"] == "etc/ssh/ssh_host_ed25519_key"), "{row}");
        self.engine.run(&["rm", "-f", "ssh", "set-up"]);
        self.engine.run(&["rmi", "-f", "ssh-server", "debian"]);
        image
    }

    /// Types what `SshLoginCommand` says, and a command that prints who is signed in.
    fn sign_in(&self, id: &str, proof: &Proof) -> Ended {
        let login = self.row(id).unwrap().ssh_login_command;
        let mut words = login.split(' ');
        let mut ssh = self.engine.in_network(words.next().unwrap());
        ssh.args(["-F", "none", "-o", "ConnectTimeout=20", "-o", "StrictHostKeyChecking=accept-new"]);
        ssh.args(["-o", &format!("UserKnownHostsFile={}", self.known_hosts(id))]);
        match proof {
            Proof::Key(file) => ssh.args(["-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-i", file]),
            Proof::Password(password) => {
                ssh.env("SSH_ASKPASS_REQUIRE", "force").env("SSH_ASKPASS", self.home.path("askpass"));
                ssh.env("PASSWORD", password);
                ssh.args(["-o", "PubkeyAuthentication=no", "-o", "NumberOfPasswordPrompts=1"])
            }
        };
        Ended::of(ssh.args(words).arg("id -un").stdin(Stdio::null()))
    }

    fn assert_signed_in(&self, id: &str, proof: &Proof) {
        assert_eq!(self.sign_in(id, proof).succeeded().out, "root\n");
    }

    fn assert_refused(&self, id: &str, proof: &Proof) {
        let ended = self.sign_in(id, proof);
        assert!(ended.code == Some(255) && ended.err.contains("Permission denied"), "{ended:?}");
    }

    /// The file with the host key that was seen first.
    fn known_hosts(&self, id: &str) -> String {
        self.home.path(&format!("known-{id}")).to_str().unwrap().to_owned()
    }

    fn host_key(&self, id: &str) -> String {
        let known = std::fs::read_to_string(self.known_hosts(id)).unwrap();
        assert_eq!(known.lines().count(), 1, "{known}");
        known.split_once(' ').unwrap().1.to_owned()
    }
}

/// Creates a key pair. Returns the file of the private key, and the public key.
fn new_key(home: &Home, name: &str) -> (String, String) {
    let file = home.path(name).to_str().unwrap().to_owned();
    let keygen = ["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", &file];
    Ended::of(Command::new("ssh-keygen").args(keygen)).succeeded();
    let public = std::fs::read_to_string(format!("{file}.pub")).unwrap();
    (file, public.trim().to_owned())
}

#[test]
fn an_owner_signs_in_with_a_key_or_a_password() {
    let Some(debian) = TestEngine::debian() else { return };
    let Some(host) = Host::start(Kind::Podman) else { return };
    let image = host.save_ssh_server(&debian);
    let askpass = host.home.file("askpass", b"#!/bin/sh\necho \"$PASSWORD\"\n");
    Ended::of(Command::new("chmod").args(["+x", &askpass])).succeeded();
    let ((key, public), (other_key, _)) = (new_key(&host.home, "mine"), new_key(&host.home, "other"));
    let (key, other_key) = (Proof::Key(&key), Proof::Key(&other_key));
    let request = |name: &str| CreateCompShareInstanceRequest {
        comp_share_image_id: image.as_str().into(),
        ssh_public_keys: compshare::actions::List::default(),
        ..host.request(name)
    };
    let with_key = host
        .create_as(&CreateCompShareInstanceRequest { ssh_public_keys: [public].into(), ..request("key") });
    let with_password = host.create_as(&CreateCompShareInstanceRequest {
        password: Some(BASE64_STANDARD.encode(PASSWORD).into()),
        ..request("password")
    });

    host.assert_signed_in(&with_key, &key);
    host.assert_refused(&with_key, &other_key);
    host.assert_signed_in(&with_password, &Proof::Password(PASSWORD));
    host.assert_refused(&with_password, &Proof::Password("Wr0ng:horse"));
    host.assert_refused(&with_password, &key);
    // Neither has the host key of the container that was saved, nor that of the other.
    assert_ne!(host.host_key(&with_key), host.host_key(&with_password));

    host.reset_password(&with_password, "N3w:horse").unwrap();
    host.reboot(&with_password).unwrap();
    host.until_state(&with_password, "Running");
    // The host key is the same: `ssh` refuses another.
    host.assert_signed_in(&with_password, &Proof::Password("N3w:horse"));
    host.assert_refused(&with_password, &Proof::Password(PASSWORD));

    // The next container has what its owner knows, and another host key.
    let former = host.host_key(&with_key);
    host.engine.run(&["rm", "-f", &with_key]);
    host.until_state(&with_key, "Install Fail");
    host.stop(&with_key).unwrap();
    host.until_state(&with_key, "Stopped");
    host.begin_start(&with_key).unwrap();
    host.until_state(&with_key, "Running");
    std::fs::remove_file(host.known_hosts(&with_key)).unwrap();
    host.assert_signed_in(&with_key, &key);
    assert_ne!(host.host_key(&with_key), former);

    for id in [&with_key, &with_password] {
        host.stop(id).unwrap();
        host.until_state(id, "Stopped");
        host.terminate(id).unwrap();
    }
    host.assert_clean("the instances ended");
}
