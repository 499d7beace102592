-- The claims of writers in a store of chunks that several machines share: docs/format/sweep.md. Times are those of the
-- database.
CREATE TABLE claims (
    id TEXT NOT NULL PRIMARY KEY,
    -- The process that renews it.
    owner TEXT NOT NULL,
    -- How many records it has.
    records INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
);
CREATE INDEX claims_of_owner ON claims (owner);
CREATE TABLE claim_records (
    claim_id TEXT NOT NULL,
    -- From 1.
    number INTEGER NOT NULL,
    -- The names of objects, which the catalogue does not interpret.
    names TEXT NOT NULL,
    PRIMARY KEY (claim_id, number)
);
-- What sweeps are about to delete.
CREATE TABLE condemned (
    sweep_id TEXT NOT NULL PRIMARY KEY,
    names TEXT NOT NULL,
    condemned_at INTEGER NOT NULL,
    -- From then on, no request of a sweep that has died can take effect.
    ends_at INTEGER NOT NULL
);
-- The id of the catalogue in the bucket that it uses; no row while it uses none.
CREATE TABLE bucket_owner (
    id TEXT NOT NULL PRIMARY KEY
);
