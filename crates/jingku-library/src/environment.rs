//! What a library gets from its environment.

use std::path::PathBuf;
use std::sync::Arc;

use secrecy::SecretString;

use crate::clock::{Clock, SystemClock};
use crate::config::DatabaseUrl;
use crate::random::{Random, SystemRandom};

/// Inputs besides the configuration: time, randomness, secrets from the environment.
pub struct Environment {
    /// The source of time.
    pub clock: Arc<dyn Clock>,
    /// The source of randomness.
    pub random: Arc<dyn Random>,
    /// `JINGKU_MASTER_KEY`.
    pub master_key: Option<SecretString>,
    /// `JINGKU_DATABASE`: the database of the catalogue, instead of that in the configuration.
    pub database: Option<DatabaseUrl>,
    /// `PGPASSFILE`: passwords of databases.
    pub password_file: Option<PathBuf>,
}

impl Default for Environment {
    /// The system's clock and randomness, no secrets.
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            master_key: None,
            database: None,
            password_file: None,
        }
    }
}
