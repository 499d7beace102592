//! SSH host keys of pods: an image has none, because they identify a machine, and an SSH server does not start without.

use jingku_catalog::Pod;
use jingku_engine::{Engine, NewFile};
use ssh_key::private::Ed25519Keypair;
use ssh_key::{LineEnding, PrivateKey};
use zeroize::Zeroizing;

use super::error::PodError;
use crate::failpoint;
use crate::library::Library;
use crate::random::Random;

/// A container with this file has an OpenSSH server, which looks for its keys in the same folder.
const SERVER_CONFIG: &str = "/etc/ssh/sshd_config";
const PRIVATE_KEY: &str = "etc/ssh/ssh_host_ed25519_key";
const PUBLIC_KEY: &str = "etc/ssh/ssh_host_ed25519_key.pub";

impl Library {
    /// Writes a new host key into a container that has an SSH server, unless it has one.
    pub(super) async fn write_host_key(&self, engine: &Engine, pod: &Pod) -> Result<(), PodError> {
        let has_server = engine.has_file(&pod.id, SERVER_CONFIG).await?;
        if !has_server || engine.has_file(&pod.id, &format!("/{PRIVATE_KEY}")).await? {
            return Ok(());
        }
        let [private, public] = new_host_key(&*self.random);
        let private = NewFile { path: PRIVATE_KEY, mode: 0o600, content: private.as_bytes() };
        let public = NewFile { path: PUBLIC_KEY, mode: 0o644, content: public.as_bytes() };
        engine.write_files(&pod.id, &[private, public]).await?;
        failpoint::reached("pod.host_key_written");
        Ok(())
    }
}

/// A private key and its public key, as OpenSSH writes them.
fn new_host_key(random: &dyn Random) -> [Zeroizing<String>; 2] {
    let mut seed = Zeroizing::new([0; 32]);
    random.fill(&mut *seed);
    let key = PrivateKey::from(Ed25519Keypair::from_seed(&seed));
    let public = key.public_key().to_openssh().expect("a key without a comment");
    [key.to_openssh(LineEnding::LF).expect("a key without a passphrase"), Zeroizing::new(public + "\n")]
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU8, Ordering};

    use super::*;

    #[derive(Default)]
    struct Counter(AtomicU8);

    impl Random for Counter {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0.fetch_add(1, Ordering::Relaxed));
        }
    }

    #[test]
    fn each_host_key_is_another() {
        let random = Counter::default();
        let [one, other] = [new_host_key(&random), new_host_key(&random)];
        assert_ne!(one, other);
        let [private, public] = one;
        let parsed = PrivateKey::from_openssh(&*private).unwrap();
        assert_eq!(parsed.public_key().to_openssh().unwrap() + "\n", *public);
        assert!(public.starts_with("ssh-ed25519 AAAA"), "{public:?}");
    }
}
