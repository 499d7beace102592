-- Compatible with programs of the version before.
-- Who changed what: docs/operate/audit.md. Each entry has the hash of the one before.
CREATE TABLE audit_entries (
    -- From 1, without gaps.
    seq INTEGER NOT NULL PRIMARY KEY,
    time INTEGER NOT NULL,
    -- 0: the operator, for no account.
    account_id INTEGER NOT NULL,
    -- How the change was asked for, such as api.
    channel TEXT NOT NULL,
    public_key TEXT NOT NULL,
    address TEXT NOT NULL,
    action TEXT NOT NULL,
    -- The image, instance or other object that was changed.
    subject TEXT NOT NULL,
    ret_code INTEGER NOT NULL,
    request_id TEXT NOT NULL,
    previous TEXT NOT NULL,
    hash TEXT NOT NULL
);
CREATE INDEX audit_of_account ON audit_entries (account_id, seq);
CREATE INDEX audit_of_subject ON audit_entries (subject, seq);
-- One row: the ends of the chain.
CREATE TABLE audit_head (
    -- The last entry and its hash.
    entries INTEGER NOT NULL,
    hash TEXT NOT NULL,
    -- The last entry that was removed by age, and its hash.
    removed INTEGER NOT NULL,
    base TEXT NOT NULL
);
INSERT INTO audit_head (entries, hash, removed, base) VALUES (0, '', 0, '');
