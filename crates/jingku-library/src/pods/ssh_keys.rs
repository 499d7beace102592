//! SSH keys of pods.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jingku_catalog::Pod;
use jingku_engine::{Engine, NewFile};

use super::error::PodError;
use crate::failpoint;
use crate::library::Library;

/// The kinds of keys that OpenSSH accepts.
const KINDS: [&str; 7] = [
    "ssh-ed25519",
    "ssh-rsa",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
];
/// Where an SSH server looks for the keys of root.
const FOLDER: &str = "root/.ssh/";
const FILE: &str = "root/.ssh/authorized_keys";

/// Tells whether a text is a public key as OpenSSH writes it to a `.pub` file. Options, such as a command, are not allowed.
pub fn is_ssh_key(text: &str) -> bool {
    let mut words = text.split(' ');
    let (kind, key) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let key = BASE64_STANDARD.decode(key).unwrap_or_default();
    // A key begins with the length and the name of its kind.
    let named = key.get(4..).filter(|rest| rest.len() > kind.len()).map(|rest| &rest[..kind.len()]);
    KINDS.contains(&kind) && named == Some(kind.as_bytes()) && !text.chars().any(char::is_control)
}

impl Library {
    /// Writes the SSH keys of a pod into its new container, if it has some, in place of those of its image.
    pub(super) async fn write_ssh_keys(&self, engine: &Engine, pod: &Pod) -> Result<(), PodError> {
        if let Some(keys) = self.catalog.pod_ssh_keys(&pod.id).await? {
            let folder = NewFile { path: FOLDER, mode: 0o700, content: &[] };
            let file = NewFile { path: FILE, mode: 0o600, content: keys.as_bytes() };
            engine.write_files(&pod.id, &[folder, file]).await?;
            failpoint::reached("pod.keys_written");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_those_that_openssh_writes() {
        let ed25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJrYnYq5kFAcWnSgqWnXKfCyvXqlmB2nTkyBvdoDmpxB";
        let with_comment = format!("{ed25519} someone at the lab");
        for good in [ed25519, &with_comment] {
            assert!(is_ssh_key(good), "{good}");
        }
        for bad in [
            "",
            "ssh-ed25519",
            "ssh-ed25519 AAAA",
            "ssh-ed25519 not-base64",
            "AAAAC3NzaC1lZDI1NTE5AAAAIJrYnYq5kFAcWnSgqWnXKfCyvXqlmB2nTkyBvdoDmpxB",
            &ed25519.replace("ssh-ed25519", "ssh-rsa"),
            &ed25519.replace("ssh-ed25519", "ssh-dss"),
            &format!("command=\"id\" {ed25519}"),
            &format!("{ed25519}\n{ed25519}"),
            &format!("{ed25519}\r"),
        ] {
            assert!(!is_ssh_key(bad), "{bad:?}");
        }
    }
}
