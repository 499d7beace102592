use crate::database::Transaction;
use crate::{Catalog, Result};

/// What a pod is signed in with from its next creation on.
#[derive(Clone, Copy, Debug, Default)]
pub struct NewLogin<'a> {
    /// The sealed password of root; `None` leaves it.
    pub password: Option<&'a str>,
    /// The SSH keys, as lines of an `authorized_keys` file; `None` leaves them.
    pub ssh_keys: Option<&'a str>,
}

impl Catalog {
    /// Returns the SSH keys of a pod, as lines of an `authorized_keys` file; `None` if it has none.
    pub async fn pod_ssh_keys(&self, id: &str) -> Result<Option<String>> {
        let sql = "SELECT authorized_keys FROM pod_ssh_keys WHERE instance_id = $1";
        self.database.query(sql, &[id.into()]).await?.first("pod_ssh_keys")
    }
}

impl Transaction {
    /// Sets the SSH keys of a pod; empty for none.
    pub(super) async fn set_ssh_keys(&mut self, id: &str, ssh_keys: &str) -> Result<()> {
        self.execute("DELETE FROM pod_ssh_keys WHERE instance_id = $1", &[id.into()]).await?;
        if !ssh_keys.is_empty() {
            let sql = "INSERT INTO pod_ssh_keys (instance_id, authorized_keys) VALUES ($1, $2)";
            self.execute(sql, &[id.into(), ssh_keys.into()]).await?;
        }
        Ok(())
    }
}
