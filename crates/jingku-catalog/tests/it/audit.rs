use jingku_catalog::{
    AccountId, AuditFilter, AuditFinding, AuditNote, AuditResult, Catalog, Channel, CreateImage, DeleteImage,
    ImageChanges, NewAuditEntry, Page, Paging, Scope, UpdateImage, VerifiedAudit,
};
use tokio::task::JoinSet;

use crate::engines::{Engine, on_every_engine};
use crate::setting::{NOW, create, instance, lab};

on_every_engine!(
    a_change_and_its_entry_are_one_transaction,
    what_changes_nothing_has_no_entry,
    entries_are_filtered_and_paged,
    writers_at_once_make_one_chain,
    every_kind_of_tampering_is_found,
    a_rewritten_log_differs_from_its_note,
    old_entries_leave_the_hash_they_continue_from,
    a_copy_has_the_same_chain,
);

fn entry(account: AccountId, action: &str, subject: &str) -> NewAuditEntry {
    NewAuditEntry {
        time: NOW,
        account,
        channel: Channel::Api,
        public_key: "key".to_owned(),
        address: "127.0.0.1".to_owned(),
        action: action.to_owned(),
        subject: subject.to_owned(),
        ret_code: 0,
        request_id: format!("request-{subject}"),
    }
}

async fn append(catalog: &Catalog, account: AccountId, count: usize) {
    for number in 0..count {
        let entry = entry(account, "Append", &format!("image-{number}"));
        catalog.append_audit_entry(&entry).await.unwrap();
    }
}

async fn list(catalog: &Catalog, filter: AuditFilter<'_>) -> Page<jingku_catalog::AuditEntry> {
    catalog.audit_page(filter, Paging::first(100)).await.unwrap()
}

async fn verify(catalog: &Catalog) -> VerifiedAudit {
    catalog.verify_audit(None).await.unwrap()
}

async fn a_change_and_its_entry_are_one_transaction(Engine { catalog, .. }: Engine) {
    let owner = lab(&catalog).await;
    let change = create(&catalog, owner, "a", "vm");
    let (created, written) = catalog.audited(entry(owner, "Create", "vm"), change).await;
    assert_eq!((created, written), (CreateImage::Created, true));
    let entries = list(&catalog, AuditFilter::default()).await.items;
    let [entry] = &entries[..] else { panic!("{entries:?}") };
    // The subject is what was created.
    let found = (entry.seq, entry.account, &*entry.action, &*entry.subject, entry.ret_code);
    assert_eq!(found, (1, owner, "Create", "image-a", 0));
    assert_eq!((&*entry.public_key, &*entry.address, &*entry.channel), ("key", "127.0.0.1", "api"));
    assert_eq!((&*entry.previous, entry.hash.len()), ("", 64));
    let verified = verify(&catalog).await;
    assert_eq!((verified.read, &verified.head.hash, verified.findings), (1, &entry.hash, vec![]));
}

async fn what_changes_nothing_has_no_entry(Engine { catalog, .. }: Engine) {
    let owner = lab(&catalog).await;
    let scope = Scope::own(owner);
    let missing = catalog.delete_image(scope, "image-none", NOW);
    let (missing, written) = catalog.audited(entry(owner, "Delete", "image-none"), missing).await;
    assert_eq!((missing.unwrap(), written), (DeleteImage::NotFound, false));
    // One entry for each request, whatever it commits. A change within another one belongs to it.
    let several = async {
        create(&catalog, owner, "a", "vm").await;
        let inner = catalog.delete_image(scope, "image-a", NOW);
        catalog.audited(entry(owner, "Inner", "image-a"), inner).await.0.unwrap()
    };
    let (deleted, written) = catalog.audited(entry(owner, "Several", ""), several).await;
    assert_eq!((deleted, written), (DeleteImage::Deleted, true));
    // Background tasks have none.
    create(&catalog, owner, "b", "vm").await;
    let actions: Vec<_> =
        list(&catalog, AuditFilter::default()).await.items.into_iter().map(|entry| entry.action).collect();
    assert_eq!(actions, ["Several"]);
}

async fn entries_are_filtered_and_paged(Engine { catalog, .. }: Engine) {
    let (one, other) = (AccountId(1), AccountId(2));
    for number in 0..10_i64 {
        let account = if number % 2 == 0 { one } else { other };
        let action = if number < 5 { "First" } else { "Second" };
        let (time, ret_code) = (NOW + number, if number == 8 { 230 } else { 0 });
        let entry = NewAuditEntry { time, ret_code, ..entry(account, action, &format!("image-{number}")) };
        catalog.append_audit_entry(&entry).await.unwrap();
    }
    let all = AuditFilter::default();
    for (filter, expected) in [
        (AuditFilter { account: Some(one), ..all }, &[8, 6, 4, 2, 0][..]),
        (AuditFilter { account: Some(other), action: Some("First"), ..all }, &[3, 1]),
        (AuditFilter { subject: Some("image-7"), ..all }, &[7]),
        (AuditFilter { account: Some(one), subject: Some("image-7"), ..all }, &[]),
        (AuditFilter { result: Some(AuditResult::Failed), ..all }, &[8]),
        (AuditFilter { result: Some(AuditResult::Code(230)), ..all }, &[8]),
        (AuditFilter { result: Some(AuditResult::Code(0)), account: Some(one), ..all }, &[6, 4, 2, 0]),
        (AuditFilter { since: Some(NOW + 3), until: Some(NOW + 5), ..all }, &[4, 3]),
    ] {
        let page = list(&catalog, filter).await;
        let found: Vec<_> = page.items.iter().map(|entry| entry.seq - 1).collect();
        assert_eq!(
            (found.as_slice(), usize::try_from(page.total).unwrap()),
            (expected, expected.len()),
            "{filter:?}"
        );
    }
    let filter = AuditFilter { account: Some(one), ..all };
    let first = catalog.audit_page(filter, Paging::first(2)).await.unwrap();
    let token = first.next.unwrap().to_string();
    let cursor = AuditFilter::cursor(&token).unwrap();
    let second = catalog.audit_page(filter, Paging::After { cursor: &cursor, limit: 10 }).await.unwrap();
    let found: Vec<_> = second.items.iter().map(|entry| entry.seq - 1).collect();
    assert_eq!((found, second.next, second.total), (vec![4, 2, 0], None, 5));
}

async fn writers_at_once_make_one_chain(engine: Engine) {
    const WRITERS: usize = 64;
    const CHANGES: usize = 4;
    let catalog = engine.catalog.clone();
    let other = engine.other_process().await;
    let owner = lab(&catalog).await;
    for writer in 0..WRITERS {
        let name = format!("{writer}");
        instance(&catalog, owner, &format!("vm-{writer}")).await;
        create(&catalog, owner, &name, &format!("vm-{writer}")).await;
    }
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let catalog = if writer % 2 == 0 { catalog.clone() } else { other.clone() };
        writers.spawn(async move {
            let id = format!("image-{writer}");
            for number in 0..CHANGES {
                let description = number.to_string();
                let changes = ImageChanges { description: Some(&description), ..ImageChanges::default() };
                let update = catalog.update_image(Scope::own(owner), &id, changes, NOW);
                let (updated, written) = catalog.audited(entry(owner, "Update", &id), update).await;
                assert_eq!((updated.unwrap(), written), (UpdateImage::Updated, true));
            }
        });
    }
    while let Some(ended) = writers.join_next().await {
        ended.unwrap();
    }
    let verified = verify(&catalog).await;
    assert_eq!((verified.read, verified.findings), ((WRITERS * CHANGES) as u64, vec![]));
    for writer in 0..WRITERS {
        let id = format!("image-{writer}");
        let filter = AuditFilter { subject: Some(&id), ..AuditFilter::default() };
        assert_eq!(usize::try_from(list(&catalog, filter).await.total).unwrap(), CHANGES);
    }
}

async fn every_kind_of_tampering_is_found(engine: Engine) {
    append(&engine.catalog, AccountId(1), 9).await;
    assert_eq!(verify(&engine.catalog).await.findings, []);
    let save = "CREATE TABLE saved_entries AS SELECT * FROM audit_entries;
                CREATE TABLE saved_head AS SELECT * FROM audit_head";
    if !engine.run_sql(save).await {
        return;
    }
    let changed = |column: &str, value: &str| {
        (format!("UPDATE audit_entries SET {column} = {value} WHERE seq = 5"), vec![AuditFinding::Changed(5)])
    };
    let missing = |first, last| vec![AuditFinding::Missing { first, last }];
    let mut cases = vec![
        changed("time", "time + 1"),
        changed("account_id", "2"),
        changed("channel", "'console'"),
        changed("public_key", "'another'"),
        changed("address", "'10.0.0.1'"),
        changed("action", "'Another'"),
        changed("subject", "'image-x'"),
        changed("ret_code", "230"),
        changed("request_id", "''"),
        // The bytes of two fields together stay the same.
        changed("public_key", "'ke', address = 'y127.0.0.1'"),
        ("DELETE FROM audit_entries WHERE seq = 1".to_owned(), missing(1, 1)),
        ("DELETE FROM audit_entries WHERE seq IN (4, 5)".to_owned(), missing(4, 5)),
        ("DELETE FROM audit_entries WHERE seq > 7".to_owned(), missing(8, 9)),
        ("DELETE FROM audit_entries".to_owned(), missing(1, 9)),
        (
            "DELETE FROM audit_entries WHERE seq = 9; UPDATE audit_head SET entries = 8".to_owned(),
            vec![AuditFinding::Head(8)],
        ),
        (
            "DELETE FROM audit_entries WHERE seq = 1; UPDATE audit_head SET removed = 1".to_owned(),
            vec![AuditFinding::Unlinked(2)],
        ),
        (
            "UPDATE audit_entries SET hash = 'x', previous = previous WHERE seq = 9".to_owned(),
            vec![AuditFinding::Changed(9), AuditFinding::Head(9)],
        ),
    ];
    let swap = "UPDATE audit_entries SET seq = -seq WHERE seq IN (4, 5);
                UPDATE audit_entries SET seq = CASE seq WHEN -4 THEN 5 ELSE 4 END WHERE seq < 0";
    let swapped = [
        AuditFinding::Changed(4),
        AuditFinding::Unlinked(4),
        AuditFinding::Changed(5),
        AuditFinding::Unlinked(5),
        AuditFinding::Unlinked(6),
    ];
    cases.push((swap.to_owned(), swapped.to_vec()));
    let copy = |seq: &str, of: i64| {
        format!(
            "INSERT INTO audit_entries SELECT {seq}, time, account_id, channel, public_key, address, action,
                 subject, ret_code, request_id, previous, hash FROM saved_entries WHERE seq = {of}"
        )
    };
    cases.push((
        copy("10", 9),
        vec![AuditFinding::Changed(10), AuditFinding::Unlinked(10), AuditFinding::Head(10)],
    ));
    cases.push((
        copy("0", 1),
        vec![AuditFinding::Changed(0), AuditFinding::Unlinked(0), AuditFinding::Unlinked(1)],
    ));
    let insert = format!(
        "UPDATE audit_entries SET seq = -seq WHERE seq > 5; {};
         UPDATE audit_entries SET seq = 1 - seq WHERE seq < 0; UPDATE audit_head SET entries = 10",
        copy("6", 5)
    );
    let inserted = (6..=10).map(AuditFinding::Changed);
    let mut inserted: Vec<_> = inserted.collect();
    inserted.insert(1, AuditFinding::Unlinked(6));
    cases.push((insert, inserted));
    for (tampering, expected) in cases {
        engine.run_sql(&tampering).await;
        assert_eq!(verify(&engine.catalog).await.findings, expected, "{tampering}");
        let restore = "DELETE FROM audit_entries; INSERT INTO audit_entries SELECT * FROM saved_entries;
                       DELETE FROM audit_head; INSERT INTO audit_head SELECT * FROM saved_head";
        engine.run_sql(restore).await;
        assert_eq!(verify(&engine.catalog).await.findings, []);
    }
}

async fn a_rewritten_log_differs_from_its_note(engine: Engine) {
    let catalog = &engine.catalog;
    append(catalog, AccountId(1), 3).await;
    let head = verify(catalog).await.head;
    let note = AuditNote { seq: head.entries, hash: head.hash };
    append(catalog, AccountId(1), 2).await;
    assert_eq!(catalog.verify_audit(Some(&note)).await.unwrap().findings, []);
    let empty = "DELETE FROM audit_entries; UPDATE audit_head SET entries = 0, hash = ''";
    if !engine.run_sql(empty).await {
        return;
    }
    append(catalog, AccountId(1), 2).await;
    let found = catalog.verify_audit(Some(&note)).await.unwrap().findings;
    assert_eq!(found, [AuditFinding::Shorter(3)]);
    append(catalog, AccountId(2), 1).await;
    assert_eq!(verify(catalog).await.findings, []);
    let found = catalog.verify_audit(Some(&note)).await.unwrap().findings;
    assert_eq!(found, [AuditFinding::Rewritten(3)]);
}

async fn old_entries_leave_the_hash_they_continue_from(Engine { catalog, .. }: Engine) {
    let account = AccountId(1);
    for time in [10, 11, 30, 12, 40] {
        let entry = NewAuditEntry { time, ..entry(account, "Append", "image") };
        catalog.append_audit_entry(&entry).await.unwrap();
    }
    let all = list(&catalog, AuditFilter::default()).await.items;
    assert_eq!(catalog.expire_audit(10, 10).await.unwrap(), 0);
    assert_eq!(catalog.expire_audit(20, 1).await.unwrap(), 1);
    // The third entry is younger, so the fourth stays too.
    assert_eq!(catalog.expire_audit(20, 10).await.unwrap(), 1);
    let verified = verify(&catalog).await;
    assert_eq!((verified.read, &verified.findings[..]), (3, &[][..]));
    assert_eq!((verified.head.entries, verified.head.removed), (5, 2));
    let note = |at: usize| AuditNote { seq: all[at].seq, hash: all[at].hash.clone() };
    let found = async |at| catalog.verify_audit(Some(&note(at))).await.unwrap().findings;
    assert_eq!(found(4).await, [AuditFinding::Expired(1)]);
    assert_eq!(found(3).await, []);
    assert_eq!(found(2).await, []);
    assert_eq!(catalog.expire_audit(100, 10).await.unwrap(), 3);
    let verified = verify(&catalog).await;
    assert_eq!((verified.read, verified.findings), (0, vec![]));
    append(&catalog, account, 1).await;
    let verified = verify(&catalog).await;
    assert_eq!((verified.read, verified.findings, verified.head.entries), (1, vec![], 6));
    assert_eq!(list(&catalog, AuditFilter::default()).await.items[0].previous, all[0].hash);
}

async fn a_copy_has_the_same_chain(engine: Engine) {
    if engine.is_newer {
        return;
    }
    let owner = lab(&engine.catalog).await;
    append(&engine.catalog, owner, 250).await;
    engine.catalog.expire_audit(NOW + 1, 20).await.unwrap();
    let original = verify(&engine.catalog).await;
    assert_eq!((original.read, &original.findings[..]), (230, &[][..]));
    let file = Catalog::open_sqlite_in_memory().await.unwrap();
    append(&file, owner, 3).await;
    engine.catalog.copy_changes(&file, "", &|_| ()).await.unwrap();
    assert_eq!(verify(&file).await, original);
    // After it, the chain of the copy continues.
    append(&file, owner, 1).await;
    assert_eq!(verify(&file).await.findings, []);
    engine.catalog.copy_to(&file, "").await.unwrap();
    assert_eq!(verify(&file).await, original);
    if !engine.is_memory() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("backup.db");
        engine.catalog.back_up(&path).await.unwrap();
        assert_eq!(verify(&Catalog::open_sqlite(&path).await.unwrap()).await, original);
    }
}
