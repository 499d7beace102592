//! Passwords of pods at rest and in their containers.

use jingku_catalog::Pod;
use secrecy::SecretString;

use crate::error::Internal;
use crate::keyring::WrongMasterKey;
use crate::library::Library;

/// The outcome of [`Library::reset_password`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResetPassword {
    /// The container has the password.
    Done,
    /// The container has no `chpasswd`, or it failed.
    NotPossible,
    /// The engine does not do it. The log says why.
    EngineFailed,
}

/// What a sealed password is bound to.
fn password_label(id: &str) -> String {
    format!("password of {id}")
}

impl Library {
    /// Seals the password of a pod. It is not hashed, because the API shows it.
    pub fn seal_password(&self, id: &str, password: &str) -> String {
        self.keyring().seal(&password_label(id), &SecretString::from(password), &*self.random)
    }

    /// Opens the password of a pod.
    pub fn open_password(&self, pod: &Pod) -> Result<SecretString, WrongMasterKey> {
        self.keyring().open(&password_label(&pod.id), &pod.password)
    }

    /// Changes the password of root in the running container of a pod, and remembers it.
    pub async fn reset_password(&self, pod: &Pod, password: &str) -> Result<ResetPassword, Internal> {
        let changed = match self.engine_of_pods().await {
            Ok(engine) => self.set_root_password(&engine, &pod.id, password).await,
            Err(error) => Err(error),
        };
        match changed {
            Ok(true) => {}
            Ok(false) => return Ok(ResetPassword::NotPossible),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(instance_id = pod.id, error, "cannot change a password");
                return Ok(ResetPassword::EngineFailed);
            }
        }
        self.catalog.set_pod_password(&pod.id, &self.seal_password(&pod.id, password)).await?;
        Ok(ResetPassword::Done)
    }
}
