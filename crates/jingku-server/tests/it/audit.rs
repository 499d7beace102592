//! Every change of a tenant has an entry in the audit log, and reading has none.

use jingku_catalog::{AuditEntry, AuditFilter, KeyLimits, Paging};
use jingku_library::EmptyTrash;
use jingku_protocol::actions::Action;
use jingku_server::router;

use crate::support::{Caller, INSTANCE, NOW, PUBLIC_KEY, Service};

impl Service {
    /// The entries from this number on, oldest first, of an intact log.
    async fn audit_from(&self, first: i64) -> Vec<AuditEntry> {
        let catalog = self.catalog().await;
        let verified = catalog.verify_audit(None).await.unwrap();
        assert_eq!(verified.findings, []);
        let page = catalog.audit_page(AuditFilter::default(), Paging::first(1000)).await.unwrap();
        page.items.into_iter().rev().filter(|entry| entry.seq >= first).collect()
    }

    /// What was added since [`Service::audit_from`] had so many entries: action, subject and return code.
    async fn added(&self, first: i64) -> Vec<(String, String, i64)> {
        let short = |entry: AuditEntry| (entry.action, entry.subject, entry.ret_code);
        self.audit_from(first).await.into_iter().map(short).collect()
    }

    async fn next_entry(&self) -> i64 {
        self.catalog().await.verify_audit(None).await.unwrap().head.entries + 1
    }
}

fn entry(action: &str, subject: &str, ret_code: i64) -> (String, String, i64) {
    (action.to_owned(), subject.to_owned(), ret_code)
}

#[tokio::test]
async fn an_entry_says_who_changed_what() {
    let service = Service::start().await;
    let first = service.next_entry().await;
    let id = service.caller().create(INSTANCE, "env").await;
    let params = [("CompShareImageId", &*id), ("Description", "new")];
    let reply = service.caller().call(Action::UpdateCompShareImage, &params).await;
    let request_id = reply.headers["x-ucloud-request-uuid"].to_str().unwrap();
    let entries = service.audit_from(first).await;
    assert_eq!(
        service.added(first).await,
        [entry("CreateCompShareCustomImage", &id, 0), entry("UpdateCompShareImage", &id, 0),]
    );
    let AuditEntry { time, account, channel, public_key, request_id: noted, .. } = &entries[1];
    assert_eq!((*time, account.0, &**channel, &**public_key), (NOW, 1, "api", PUBLIC_KEY));
    assert_eq!(noted, request_id);
}

#[tokio::test]
async fn reading_and_repeating_have_no_entry() {
    let service = Service::start().await;
    let caller = service.caller();
    service.add_images(&[("image-1", NOW)]).await;
    let id = [("CompShareImageId", "image-1")];
    let terminate = Action::TerminateCompShareCustomImage;
    let first = service.next_entry().await;
    caller.everything().await;
    caller.refusal(Action::ExportCompShareCustomImage, &[("CompShareImageId", "image-none")]).await;
    assert_eq!(service.added(first).await, []);
    caller.ok(terminate, &id).await;
    // Answered from what the first call stored.
    caller.ok(terminate, &id).await;
    assert_eq!(service.added(first).await, [entry(terminate.name(), "image-1", 0)]);
}

#[tokio::test]
async fn refused_changes_have_their_code() {
    let service = Service::start().await;
    let first = service.next_entry().await;
    let (caller, library) = (service.caller(), &service.context.library);
    let terminate = Action::TerminateCompShareCustomImage;
    caller.refusal(terminate, &[("CompShareImageId", "image-none")]).await;
    caller.refusal(terminate, &[]).await;
    let long = "镜".repeat(300);
    caller.refusal(terminate, &[("CompShareImageId", &long)]).await;
    caller.refusal(terminate, &[("CompShareImageId", "a\u{1b}[2J")]).await;
    let cut = format!("{}…", "镜".repeat(128));
    assert_eq!(
        service.added(first).await,
        [
            entry(terminate.name(), "image-none", 8039),
            entry(terminate.name(), "", 210),
            entry(terminate.name(), &cut, 8039),
            entry(terminate.name(), "a\\u{1b}[2J", 8039),
        ]
    );
    let limits = KeyLimits { read_only: true, addresses: Vec::new() };
    let (pair, _) = library.create_key(1, "reader", &limits).await.unwrap();
    let first = service.next_entry().await;
    let reader = Caller::with_keys(router(service.context.clone()), &pair);
    reader.refusal(terminate, &[("CompShareImageId", "image-1")]).await;
    assert_eq!(service.added(first).await, [entry(terminate.name(), "image-1", 299)]);
    // Whoever has no key leaves nothing.
    let stranger = Caller::new(router(service.context.clone()), PUBLIC_KEY, "wrong");
    stranger.refusal(terminate, &[("CompShareImageId", "image-1")]).await;
    assert_eq!(service.next_entry().await, first + 1);
}

#[tokio::test]
async fn commands_have_entries_of_the_owner() {
    let service = Service::start().await;
    service.add_images(&[("image-1", NOW), ("image-2", NOW)]).await;
    let (caller, library) = (service.caller(), &service.context.library);
    for id in ["image-1", "image-2"] {
        caller.ok(Action::TerminateCompShareCustomImage, &[("CompShareImageId", id)]).await;
    }
    let first = service.next_entry().await;
    library.restore_image("image-1", None).await.unwrap();
    library.restore_image("image-1", None).await.unwrap_err();
    library.empty_trash(EmptyTrash { dry_run: true, ..EmptyTrash::default() }).await.unwrap();
    library.empty_trash(EmptyTrash::default()).await.unwrap();
    library.remove_instance(INSTANCE).await.unwrap();
    assert_eq!(
        service.added(first).await,
        [
            entry("trash restore", "image-1", 0),
            entry("trash empty", "image-2", 0),
            entry("instance remove", INSTANCE, 0),
        ]
    );
    for entry in service.audit_from(first).await {
        assert_eq!((entry.account.0, &*entry.channel, &*entry.public_key), (1, "command", ""));
    }
}

/// Sixty-four callers at two servers of one catalogue.
#[tokio::test]
async fn servers_and_callers_at_once_make_one_chain() {
    let service = Service::start().await;
    let other = service.reopen().await;
    service.add_images(&[("image-1", NOW)]).await;
    let first = service.next_entry().await;
    let mut callers = tokio::task::JoinSet::new();
    for number in 0..64 {
        let caller = if number % 2 == 0 { service.caller() } else { other.caller() };
        callers.spawn(async move {
            let description = number.to_string();
            let params = [("CompShareImageId", "image-1"), ("Description", &*description)];
            caller.ok(Action::UpdateCompShareImage, &params).await;
        });
    }
    while let Some(ended) = callers.join_next().await {
        ended.unwrap();
    }
    assert_eq!(service.added(first).await, vec![entry("UpdateCompShareImage", "image-1", 0); 64]);
}
