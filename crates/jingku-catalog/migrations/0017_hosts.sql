-- Compatible with programs of the version before.
-- The servers that share this catalogue; none while it is a file. Times are those of the database.
CREATE TABLE hosts (
    name TEXT NOT NULL PRIMARY KEY,
    -- The data directory of the server.
    node TEXT NOT NULL,
    -- The process that renews the lease.
    session TEXT NOT NULL,
    version TEXT NOT NULL,
    -- The number of migrations that the program knows.
    schema_version INTEGER NOT NULL,
    -- The base URL at which the other servers reach it.
    address TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    -- Until then, no other data directory gets the name.
    lease_until INTEGER NOT NULL
);
-- What one of the servers does for all.
CREATE TABLE tasks (
    name TEXT NOT NULL PRIMARY KEY,
    -- The process that has the lease; empty if none has.
    session TEXT NOT NULL,
    host TEXT NOT NULL,
    -- The number of the lease: only the last one may change the state.
    lease INTEGER NOT NULL,
    lease_until INTEGER NOT NULL,
    -- The progress, which the catalogue does not interpret.
    state TEXT NOT NULL
);
-- The server that can read the disk or the container, and that has the uploaded file. Empty: the only one.
ALTER TABLE instances ADD COLUMN host TEXT NOT NULL DEFAULT '';
ALTER TABLE jobs ADD COLUMN host TEXT NOT NULL DEFAULT '';
ALTER TABLE uploads ADD COLUMN host TEXT NOT NULL DEFAULT '';
ALTER TABLE pods ADD COLUMN host TEXT NOT NULL DEFAULT '';
CREATE INDEX jobs_live_of_host ON jobs (host, account_id, seq) WHERE finished_at IS NULL;
