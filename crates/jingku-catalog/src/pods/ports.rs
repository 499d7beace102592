use crate::database::{Cell, FromCell, Params, Transaction, row};
use crate::{AccountId, Catalog, Result};

row! {
    /// A port of a pod and where the machine publishes it.
    pub struct PodPort {
        /// The port of the machine, of which each belongs to one pod.
        pub host_port: i64 = "host_port",
        /// The pod.
        pub instance_id: String = "instance_id",
        /// What it is for.
        pub kind: PortKind = "kind",
        /// The port of the container.
        pub port: i64 = "port",
    }
}

/// What a port of a pod is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PortKind {
    /// TCP, with HTTP on it.
    Http,
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

impl PortKind {
    /// Returns the word used in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

impl FromCell for PortKind {
    fn from_cell(cell: Cell) -> std::result::Result<Self, String> {
        let word = String::from_cell(cell)?;
        [Self::Http, Self::Tcp, Self::Udp]
            .into_iter()
            .find(|kind| kind.as_str() == word)
            .ok_or_else(|| format!("is {word:?}"))
    }
}

impl Catalog {
    /// Lists the ports of pods, in order of the ports of the container.
    pub async fn pod_ports(&self, ids: &[&str]) -> Result<Vec<PodPort>> {
        let mut params = Params::default();
        let sql = format!(
            "SELECT {} FROM pod_ports WHERE instance_id IN ({}) ORDER BY instance_id, kind, port",
            PodPort::COLUMNS,
            params.add_all(ids)
        );
        self.database.query(&sql, params.as_slice()).await?.all("pod_ports")
    }

    /// Lists the ports of the machine that belong to pods.
    pub async fn host_ports(&self) -> Result<Vec<i64>> {
        let sql = "SELECT host_port FROM pod_ports ORDER BY host_port";
        self.database.scan(AccountId::PLATFORM, sql, &[]).await?.all("pod_ports")
    }

    /// Replaces the ports of a pod. Returns `false`, and changes nothing, if another pod has one of the machine's ports.
    pub async fn set_pod_ports(&self, id: &str, ports: &[PodPort]) -> Result<bool> {
        let change = |mut transaction: Transaction| async move {
            let sql = "DELETE FROM pod_ports WHERE instance_id = $1";
            transaction.execute(sql, &[id.into()]).await?;
            if transaction.insert_ports(ports).await? {
                transaction.commit(true).await
            } else {
                transaction.discard(false).await
            }
        };
        self.database.write(change).await
    }
}

impl Transaction {
    /// Returns `false` if another pod has one of the machine's ports.
    pub(super) async fn insert_ports(&mut self, ports: &[PodPort]) -> Result<bool> {
        for port in ports {
            let sql = "INSERT INTO pod_ports (host_port, instance_id, kind, port) VALUES ($1, $2, $3, $4)
                       ON CONFLICT (host_port) DO NOTHING";
            let params = [
                port.host_port.into(),
                (&port.instance_id).into(),
                port.kind.as_str().into(),
                port.port.into(),
            ];
            if self.execute(sql, &params).await? == 0 {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
