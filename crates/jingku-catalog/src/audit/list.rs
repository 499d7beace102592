use super::entry::AuditEntry;
use crate::cursor::{Column, Cursor, InvalidCursor, Order};
use crate::database::Params;
use crate::{AccountId, Catalog, Page, Paging, Result};

/// A filter of the audit log.
#[derive(Clone, Copy, Debug, Default)]
pub struct AuditFilter<'a> {
    /// Only entries of this account.
    pub account: Option<AccountId>,
    /// Only entries of this action.
    pub action: Option<&'a str>,
    /// Only entries about this image, instance or other object.
    pub subject: Option<&'a str>,
    /// Only entries with this result.
    pub result: Option<AuditResult>,
    /// Only entries of this time or later.
    pub since: Option<i64>,
    /// Only entries before this time.
    pub until: Option<i64>,
}

/// A result of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditResult {
    /// This return code; 0 for success.
    Code(i64),
    /// Any other return code than 0.
    Failed,
}

const COLUMNS: &[Column] = &[Column::Integer("seq")];
const NEWEST: Order = Order { name: "audit", columns: COLUMNS, legacy: COLUMNS, ascending: false };

impl<'a> AuditFilter<'a> {
    /// Parses the page token of a list of entries.
    pub fn cursor(token: &str) -> std::result::Result<Cursor, InvalidCursor> {
        NEWEST.parse(token)
    }

    fn condition(&self, params: &mut Params<'a>) -> String {
        let mut chosen = vec!["TRUE".to_owned()];
        chosen.extend(self.account.map(|account| format!("account_id = {}", params.add(account))));
        chosen.extend(self.action.map(|action| format!("action = {}", params.add(action))));
        chosen.extend(self.subject.map(|subject| format!("subject = {}", params.add(subject))));
        chosen.extend(self.result.map(|result| match result {
            AuditResult::Code(code) => format!("ret_code = {}", params.add(code)),
            AuditResult::Failed => "ret_code <> 0".to_owned(),
        }));
        chosen.extend(self.since.map(|time| format!("time >= {}", params.add(time))));
        chosen.extend(self.until.map(|time| format!("time < {}", params.add(time))));
        chosen.join(" AND ")
    }

    fn requester(&self) -> AccountId {
        self.account.unwrap_or(AccountId::PLATFORM)
    }
}

impl Catalog {
    /// Returns a page of the audit log, newest first. The total is counted, so the cost grows with the number of entries of
    /// the account or object.
    pub async fn audit_page(&self, filter: AuditFilter<'_>, paging: Paging<'_>) -> Result<Page<AuditEntry>> {
        let mut params = Params::default();
        let chosen = filter.condition(&mut params);
        let after = paging.after(&NEWEST, &mut params);
        let window = paging.window(&NEWEST, &mut params);
        let sql = format!(
            "SELECT {}, t.total
             FROM (SELECT COUNT(*) AS total FROM audit_entries WHERE {chosen}) t
             LEFT JOIN (SELECT seq FROM audit_entries WHERE {chosen}{after} {window}) k ON TRUE
             LEFT JOIN audit_entries e ON e.seq = k.seq",
            AuditEntry::COLUMNS
        );
        let rows = self.database.scan(filter.requester(), &sql, params.as_slice()).await?;
        rows.page("audit_entries", paging.limit(), &NEWEST, |entry: &AuditEntry| vec![entry.seq.into()])
    }
    /// Returns entries before a number, newest first, at most `limit`.
    pub async fn audit_entries(
        &self,
        filter: AuditFilter<'_>,
        before: i64,
        limit: u32,
    ) -> Result<Vec<AuditEntry>> {
        let mut params = Params::default();
        let chosen = filter.condition(&mut params);
        let (columns, before) = (AuditEntry::COLUMNS, params.add(before));
        let limit = params.add(i64::from(limit));
        let sql = format!(
            "SELECT {columns} FROM audit_entries e WHERE {chosen} AND seq < {before} ORDER BY seq DESC LIMIT {limit}"
        );
        self.database.scan(filter.requester(), &sql, params.as_slice()).await?.all("audit_entries")
    }
}
