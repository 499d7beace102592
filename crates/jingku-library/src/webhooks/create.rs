use jingku_catalog::{AccountId, ImageEvent, NewWebhook};
use secrecy::SecretString;

use super::signature::new_secret;
use super::url;
use crate::error::Internal;
use crate::keyring::WrongMasterKey;
use crate::library::Library;
use crate::random::webhook_id;

/// The outcome of [`Library::create_webhook`].
#[derive(Debug)]
pub enum CreateWebhook {
    /// It exists.
    Created(CreatedWebhook),
    /// The URL cannot be used.
    BadUrl,
    /// The account has as many as it may have.
    TooMany,
}

/// A new webhook.
#[derive(Debug)]
pub struct CreatedWebhook {
    /// Its id.
    pub id: String,
    /// What signs its requests; shown once.
    pub secret: SecretString,
}

/// What a sealed secret is bound to.
fn secret_label(id: &str) -> String {
    format!("secret of {id}")
}

impl Library {
    /// Creates a webhook of an account. The URL is not called.
    pub async fn create_webhook(
        &self,
        account: AccountId,
        url: &str,
        events: &[ImageEvent],
    ) -> Result<CreateWebhook, Internal> {
        if url::parse(url, self.config.webhooks.private_addresses).is_none() {
            return Ok(CreateWebhook::BadUrl);
        }
        let (id, secret) = (webhook_id(&*self.random), SecretString::from(new_secret(&*self.random)));
        let sealed = self.keyring().seal(&secret_label(&id), &secret, &*self.random);
        let new = NewWebhook { id: &id, account, url, events, secret: &sealed };
        let created = self.catalog.create_webhook(new, self.clock.now()).await?;
        Ok(if created {
            CreateWebhook::Created(CreatedWebhook { id, secret })
        } else {
            CreateWebhook::TooMany
        })
    }

    /// Opens the secret of a webhook.
    pub(super) fn open_webhook_secret(&self, id: &str, sealed: &str) -> Result<SecretString, WrongMasterKey> {
        self.keyring().open(&secret_label(id), sealed)
    }
}
