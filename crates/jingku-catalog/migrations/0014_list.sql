-- The account's revision at the last change of the row. Account, seq and changed identify one content of a row, so that
-- a server can keep rows in memory and read only those that changed.
ALTER TABLE images ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;

-- Also answer with the version of each row of a page, from the index alone.
DROP INDEX images_newest;
CREATE INDEX images_newest ON images (account_id, seq DESC, changed, id, deleted_at) WHERE deleted_at IS NULL;
DROP INDEX images_newest_of_zone;
CREATE INDEX images_newest_of_zone ON images (account_id, zone, seq DESC, changed, id, deleted_at) WHERE deleted_at IS NULL;

-- What changed since a revision: a server that knows the numbers of an account's images reads only this.
CREATE INDEX images_changed ON images (account_id, changed, seq, zone, deleted_at);
-- The highest `changed` of a row that was deleted from the table.
ALTER TABLE accounts ADD COLUMN purged_changed INTEGER NOT NULL DEFAULT 0;
