-- Compatible with programs of the version before.
-- How much the images of an account use: at most one row per account and day.
CREATE TABLE usage_samples (
    account_id INTEGER NOT NULL,
    -- Days since 1970.
    day INTEGER NOT NULL,
    measured_at INTEGER NOT NULL,
    -- The account's revision before it was measured.
    revision INTEGER NOT NULL,
    images INTEGER NOT NULL,
    logical_bytes INTEGER NOT NULL,
    stored_bytes INTEGER NOT NULL,
    unique_bytes INTEGER NOT NULL,
    trash_bytes INTEGER NOT NULL,
    -- The use of single images, which the catalogue does not interpret. Empty, except in the row measured last.
    detail TEXT NOT NULL,
    PRIMARY KEY (account_id, day)
);
