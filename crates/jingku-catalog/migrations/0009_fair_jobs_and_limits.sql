-- How often a job was claimed, over the whole catalogue. Every claim changes this row first, so that claims wait for each
-- other and each sees what the one before has done.
ALTER TABLE counters ADD COLUMN claims INTEGER NOT NULL DEFAULT 0;
-- The number of the last claim of a job of the account: of several accounts, the one with the lowest is next.
ALTER TABLE accounts ADD COLUMN served INTEGER NOT NULL DEFAULT 0;
-- The account's own limits; null: the server's default.
ALTER TABLE accounts ADD COLUMN images_max INTEGER;
ALTER TABLE accounts ADD COLUMN trashed_max INTEGER;
ALTER TABLE accounts ADD COLUMN stored_bytes_max INTEGER;
ALTER TABLE accounts ADD COLUMN uploads_max INTEGER;
ALTER TABLE accounts ADD COLUMN upload_bytes_max INTEGER;
ALTER TABLE accounts ADD COLUMN jobs_max INTEGER;

-- Order of arrival among the live jobs of an account. Several arrive within one second.
ALTER TABLE jobs ADD COLUMN seq INTEGER NOT NULL DEFAULT 0;
UPDATE jobs SET seq = arrived.seq
FROM (SELECT id, ROW_NUMBER() OVER (PARTITION BY account_id ORDER BY created_at, id) AS seq
      FROM jobs WHERE finished_at IS NULL) AS arrived
WHERE arrived.id = jobs.id;
DROP INDEX jobs_live;
CREATE INDEX jobs_live ON jobs (account_id, seq) WHERE finished_at IS NULL;

-- Bytes of the disk that are not zeros; null while there is no manifest, and of images made before this was counted.
ALTER TABLE images ADD COLUMN data_bytes INTEGER;
CREATE INDEX images_trash_of_account ON images (account_id) WHERE deleted_at IS NOT NULL;
-- What an account stores: each manifest once.
CREATE INDEX images_stored ON images (account_id, manifest, data_bytes) WHERE manifest IS NOT NULL;
