//! `jingku audit`: who changed what, on the data directory, with or without a server running on it.

use jingku_library::{AccountId, AuditEntry, AuditFilter, AuditFinding, AuditNote, Library, VerifiedAudit};
use serde_json::{Value, json};

use crate::args::{AuditCommand, AuditListArgs, Global};
use crate::failure::{Exit, Failure};
use crate::library::open;
use crate::messages::tr;
use crate::output::{Listing, print, print_json, time};

/// Entries read at once.
const PAGE_ROWS: u64 = 1000;

pub(crate) async fn run(global: &Global, command: AuditCommand) -> Result<(), Failure> {
    let library = open(global).await?;
    match command {
        AuditCommand::List(args) if global.json => print_entries(&library, &args).await,
        AuditCommand::List(args) => list(&library, &args).await,
        AuditCommand::Verify { from } => verify(global, &library, from.as_ref()).await,
    }
}

/// Reads entries page by page, newest first.
struct Reader<'a> {
    library: &'a Library,
    filter: AuditFilter<'a>,
    before: i64,
    left: u64,
}

impl<'a> Reader<'a> {
    fn new(library: &'a Library, args: &'a AuditListArgs) -> Self {
        let filter = AuditFilter {
            account: args.account.map(AccountId),
            action: args.action.as_deref(),
            subject: args.image.as_deref(),
            result: args.result,
            since: args.since,
            until: args.until,
        };
        Self { library, filter, before: i64::MAX, left: args.limit }
    }

    /// The next page; empty at the end.
    async fn next(&mut self) -> Result<Vec<AuditEntry>, Failure> {
        let limit = u32::try_from(self.left.min(PAGE_ROWS)).unwrap_or(u32::MAX);
        if limit == 0 {
            return Ok(Vec::new());
        }
        let entries = self.library.audit_entries(self.filter, self.before, limit).await?;
        self.left -= entries.len() as u64;
        self.before = entries.last().map_or(i64::MIN, |entry| entry.seq);
        Ok(entries)
    }
}

async fn list(library: &Library, args: &AuditListArgs) -> Result<(), Failure> {
    let mut reader = Reader::new(library, args);
    let mut entries = Vec::new();
    loop {
        let page = reader.next().await?;
        if page.is_empty() {
            break;
        }
        entries.extend(page);
    }
    let result = |entry: &AuditEntry| {
        if entry.ret_code == 0 { tr!("audit-done") } else { entry.ret_code.to_string() }
    };
    Listing::of(&entries)
        .column(tr!("table-number"), |entry| entry.seq.to_string())
        .column(tr!("table-time"), |entry| time(entry.time))
        .column(tr!("table-account"), |entry| entry.account.0.to_string())
        .column(tr!("table-action"), |entry| entry.action.clone())
        .column(tr!("table-subject"), |entry| entry.subject.clone())
        .column(tr!("table-result"), result)
        .column(tr!("table-channel"), |entry| entry.channel.clone())
        .column(tr!("table-address"), |entry| entry.address.clone())
        .print(4, &tr!("audit-none"))
}

/// Prints an array with one entry in a line, page by page: the log may not fit into memory.
async fn print_entries(library: &Library, args: &AuditListArgs) -> Result<(), Failure> {
    let mut reader = Reader::new(library, args);
    let mut separator = '[';
    loop {
        let page = reader.next().await?;
        if page.is_empty() {
            break;
        }
        let mut lines = Vec::with_capacity(page.len());
        for entry in &page {
            lines.push(format!("{separator}{}", to_json(entry)));
            separator = ',';
        }
        print(&lines.join("\n"))?;
    }
    print(if separator == '[' { "[]" } else { "]" })
}

fn to_json(entry: &AuditEntry) -> Value {
    json!({ "Seq": entry.seq, "Time": entry.time, "AccountId": entry.account.0, "Channel": entry.channel,
            "PublicKey": entry.public_key, "Address": entry.address, "Action": entry.action,
            "Subject": entry.subject, "RetCode": entry.ret_code, "RequestId": entry.request_id,
            "Previous": entry.previous, "Hash": entry.hash })
}

async fn verify(global: &Global, library: &Library, note: Option<&AuditNote>) -> Result<(), Failure> {
    let verified = library.verify_audit(note).await?;
    let VerifiedAudit { head, read, findings } = &verified;
    let (removed, count) = (head.removed, findings.len());
    let noted = format!("{}:{}", head.entries, head.hash);
    if global.json {
        let findings: Vec<_> = findings.iter().map(describe).collect();
        let intact = findings.is_empty();
        print_json(&json!({ "Intact": intact, "Entries": read, "Expired": removed, "Head": noted,
                            "Findings": findings }))?;
    } else {
        print(&tr!("audit-read", read = read, removed = removed))?;
        for finding in findings {
            print(&describe(finding))?;
        }
        if findings.is_empty() {
            print(&tr!("audit-intact"))?;
            if head.entries > 0 {
                print(&tr!("audit-head", head = noted))?;
            }
        }
    }
    if count == 0 { Ok(()) } else { Err(Failure::new(Exit::Fault, tr!("audit-damaged", count = count))) }
}

fn describe(finding: &AuditFinding) -> String {
    match *finding {
        AuditFinding::Changed(seq) => tr!("audit-changed", seq = seq),
        AuditFinding::Missing { first, last } => tr!("audit-missing", first = first, last = last),
        AuditFinding::Unlinked(seq) => tr!("audit-unlinked", seq = seq),
        AuditFinding::Head(seq) => tr!("audit-wrong-head", seq = seq),
        AuditFinding::Rewritten(seq) => tr!("audit-rewritten", seq = seq),
        AuditFinding::Shorter(seq) => tr!("audit-shorter", seq = seq),
        AuditFinding::Expired(seq) => tr!("audit-expired", seq = seq),
    }
}
