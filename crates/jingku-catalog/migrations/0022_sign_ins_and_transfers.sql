-- Compatible with programs of the version before.
-- The sessions of browsers in the web console, and links that start one once.
CREATE TABLE sign_ins (
    -- The hash of the secret that the browser has. The secret itself is stored nowhere.
    hash TEXT NOT NULL PRIMARY KEY,
    -- 'session' or 'link'.
    kind TEXT NOT NULL,
    public_key TEXT NOT NULL,
    account_id INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    -- Some minutes late, so that not every page is a change.
    used_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
);
CREATE INDEX sign_ins_of_account ON sign_ins (account_id, kind, ordinal);
CREATE INDEX sign_ins_expired ON sign_ins (expires_at);
CREATE INDEX sign_ins_order ON sign_ins (ordinal);
-- The downloads and uploads that run, of accounts with a limit of them.
ALTER TABLE accounts ADD COLUMN transfers_max INTEGER;
CREATE TABLE transfers (
    id TEXT NOT NULL PRIMARY KEY,
    account_id INTEGER NOT NULL,
    -- The server that runs it.
    host TEXT NOT NULL,
    -- No transfer lasts longer, so it counts until then if its server was killed and does not start again.
    expires_at INTEGER NOT NULL
);
CREATE INDEX transfers_of_account ON transfers (account_id);
