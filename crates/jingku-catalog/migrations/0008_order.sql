-- The order in which things came to be, whatever the clock said: an ordinal is drawn for each event that a list is
-- ordered by, from one counter, in the transaction of the event.
ALTER TABLE counters ADD COLUMN ordinal INTEGER NOT NULL DEFAULT 0;

-- How many images the account has had, and when the last of them was created: no image is older than the one before.
ALTER TABLE accounts ADD COLUMN image_seq INTEGER NOT NULL DEFAULT 0;
ALTER TABLE accounts ADD COLUMN image_time INTEGER NOT NULL DEFAULT 0;

-- The number of the image among those its account has had, from 1: orders every list of one account's images.
ALTER TABLE images ADD COLUMN seq INTEGER NOT NULL DEFAULT 0;
-- When it was created: orders images of several accounts that were created in the same second.
ALTER TABLE images ADD COLUMN ordinal INTEGER NOT NULL DEFAULT 0;
-- When it was handed in for review last, or 0.
ALTER TABLE images ADD COLUMN submitted_ordinal INTEGER NOT NULL DEFAULT 0;
-- When it was made public, or 0.
ALTER TABLE images ADD COLUMN published_ordinal INTEGER NOT NULL DEFAULT 0;
-- When it was moved to the trash last, or 0.
ALTER TABLE images ADD COLUMN deleted_ordinal INTEGER NOT NULL DEFAULT 0;
-- That of its newest public version's publication, or else of its newest version's submission.
ALTER TABLE image_groups ADD COLUMN published_ordinal INTEGER NOT NULL DEFAULT 0;
ALTER TABLE instances ADD COLUMN ordinal INTEGER NOT NULL DEFAULT 0;
ALTER TABLE keys ADD COLUMN ordinal INTEGER NOT NULL DEFAULT 0;
ALTER TABLE shares ADD COLUMN ordinal INTEGER NOT NULL DEFAULT 0;
ALTER TABLE favorites ADD COLUMN ordinal INTEGER NOT NULL DEFAULT 0;

-- What is there keeps the order it was listed in: by time, then id.
UPDATE images SET seq = r.seq, ordinal = r.ordinal
FROM (SELECT id, ROW_NUMBER() OVER (PARTITION BY account_id ORDER BY create_time, id) AS seq,
             ROW_NUMBER() OVER (ORDER BY create_time, id) AS ordinal FROM images) r
WHERE r.id = images.id;
UPDATE images SET submitted_ordinal = r.ordinal
FROM (SELECT id, ROW_NUMBER() OVER (ORDER BY submitted_at, create_time, id) AS ordinal
      FROM images WHERE submitted_at > 0) r
WHERE r.id = images.id;
UPDATE images SET published_ordinal = r.ordinal
FROM (SELECT id, ROW_NUMBER() OVER (ORDER BY pub_time, group_id, submitted_at, id) AS ordinal
      FROM images WHERE visibility = 1) r
WHERE r.id = images.id;
UPDATE images SET deleted_ordinal = r.ordinal
FROM (SELECT id, ROW_NUMBER() OVER (ORDER BY deleted_at, id) AS ordinal
      FROM images WHERE deleted_at IS NOT NULL) r
WHERE r.id = images.id;
UPDATE instances SET ordinal = r.ordinal
FROM (SELECT id, ROW_NUMBER() OVER (ORDER BY created_at, id) AS ordinal FROM instances) r
WHERE r.id = instances.id;
UPDATE keys SET ordinal = r.ordinal
FROM (SELECT public_key, ROW_NUMBER() OVER (ORDER BY created_at, public_key) AS ordinal FROM keys) r
WHERE r.public_key = keys.public_key;
UPDATE shares SET ordinal = r.ordinal
FROM (SELECT image_id, account_id, ROW_NUMBER() OVER (ORDER BY created_at, account_id, image_id) AS ordinal
      FROM shares) r
WHERE r.image_id = shares.image_id AND r.account_id = shares.account_id;
UPDATE favorites SET ordinal = r.ordinal
FROM (SELECT account_id, group_id, ROW_NUMBER() OVER (ORDER BY created_at, group_id, account_id) AS ordinal
      FROM favorites) r
WHERE r.account_id = favorites.account_id AND r.group_id = favorites.group_id;
-- Above every ordinal that was just given.
UPDATE counters SET ordinal = (SELECT COUNT(*) FROM images) + (SELECT COUNT(*) FROM instances)
    + (SELECT COUNT(*) FROM keys) + (SELECT COUNT(*) FROM shares) + (SELECT COUNT(*) FROM favorites);
UPDATE accounts SET image_seq = r.seq, image_time = r.create_time
FROM (SELECT account_id, MAX(seq) AS seq, MAX(create_time) AS create_time FROM images GROUP BY account_id) r
WHERE r.account_id = accounts.id;

-- Ends with what finding the keys of a page asks beside, so that the index alone answers it.
DROP INDEX images_newest;
CREATE INDEX images_newest ON images (account_id, seq DESC, id, deleted_at) WHERE deleted_at IS NULL;
DROP INDEX images_newest_of_zone;
CREATE INDEX images_newest_of_zone ON images (account_id, zone, seq DESC, id, deleted_at) WHERE deleted_at IS NULL;
DROP INDEX images_of_group;
CREATE INDEX images_of_group ON images (group_id, submitted_ordinal DESC, ordinal DESC, id) WHERE group_id <> '' AND deleted_at IS NULL;
DROP INDEX images_reviewing;
CREATE INDEX images_reviewing ON images (submitted_ordinal) WHERE status = 'Reviewing' AND deleted_at IS NULL;
DROP INDEX instances_newest;
CREATE INDEX instances_newest ON instances (account_id, ordinal DESC);
UPDATE image_groups SET published_ordinal = COALESCE(
    (SELECT CASE i.visibility WHEN 1 THEN i.published_ordinal ELSE i.submitted_ordinal END
     FROM images i WHERE i.group_id = image_groups.id AND i.group_id <> '' AND i.deleted_at IS NULL
     ORDER BY i.visibility DESC, i.submitted_ordinal DESC, i.ordinal DESC LIMIT 1), 0);
DROP INDEX image_groups_of_account;
CREATE INDEX image_groups_of_account ON image_groups (account_id, pub_time DESC, published_ordinal DESC, id DESC);
DROP INDEX image_groups_public;
CREATE INDEX image_groups_public ON image_groups (recommend_count DESC, pub_time DESC, published_ordinal DESC, id DESC) WHERE public_versions > 0;

-- What requests were answered whose repetition would do the same once more. See the crate's answers.rs.
CREATE TABLE answers (
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    -- Names the request among those of the account.
    request TEXT NOT NULL,
    answer TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    PRIMARY KEY (account_id, request)
);
CREATE INDEX answers_newest ON answers (account_id, ordinal DESC);
