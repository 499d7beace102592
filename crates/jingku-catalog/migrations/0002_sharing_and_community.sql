-- Account 0 owns the platform's images: those that the operator promotes. It has no keys and cannot get any.
INSERT INTO accounts (id, name, project_id, created_at, revision)
SELECT 0, CASE COUNT(*) WHEN 0 THEN 'Official' ELSE 'Official platform' END, '', 0, 0
FROM accounts WHERE name = 'Official';

-- Nothing could be published before: what was written down as public was only a wish.
UPDATE images SET visibility = 0, group_id = '';

-- Made from a container, not from a disk.
ALTER TABLE images ADD COLUMN container INTEGER NOT NULL DEFAULT 0;
-- System, App, Game or Other on the platform's images, else empty.
ALTER TABLE images ADD COLUMN platform_type TEXT NOT NULL DEFAULT '';
-- The image that this one was copied from, which may be gone.
ALTER TABLE images ADD COLUMN copied_from TEXT NOT NULL DEFAULT '';
-- What it is to be called in the community; empty: by its name.
ALTER TABLE images ADD COLUMN community_name TEXT NOT NULL DEFAULT '';
-- When it was handed in for review last.
ALTER TABLE images ADD COLUMN submitted_at INTEGER NOT NULL DEFAULT 0;
-- Visibility 1 says that it is public: approved, and not taken down. Nothing else makes others see it.
-- The newest version is the one that was handed in last.
CREATE INDEX images_of_group ON images (group_id, submitted_at DESC, create_time DESC, id DESC) WHERE group_id <> '' AND deleted_at IS NULL;
-- All that a list of groups held in a zone asks about versions.
CREATE INDEX images_of_group_zone ON images (group_id, zone, visibility, account_id) WHERE group_id <> '' AND deleted_at IS NULL;
CREATE INDEX images_reviewing ON images (submitted_at, id) WHERE status = 'Reviewing' AND deleted_at IS NULL;

-- Whom an image is shared with.
CREATE TABLE shares (
    image_id TEXT NOT NULL REFERENCES images (id),
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (image_id, account_id)
);
CREATE INDEX shares_with ON shares (account_id, image_id);

-- The versions of one image in the community.
CREATE TABLE image_groups (
    id TEXT NOT NULL PRIMARY KEY,
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    recommend_count INTEGER NOT NULL,
    favorites_count INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    -- From here on: told by the versions, and brought up to date with each of them, so that groups are found and
    -- sorted without looking at images. Facts of one version are those of the newest public one, or else of the newest.
    versions INTEGER NOT NULL,
    public_versions INTEGER NOT NULL,
    pub_time INTEGER NOT NULL,
    price_cents INTEGER NOT NULL,
    auto_start INTEGER NOT NULL,
    tags TEXT NOT NULL,
    created_count INTEGER NOT NULL,
    image_use_time_hours INTEGER NOT NULL,
    -- Name and author as they are searched.
    folded_name TEXT NOT NULL,
    folded_author TEXT NOT NULL
);
CREATE INDEX image_groups_of_account ON image_groups (account_id, pub_time DESC, id DESC);
CREATE INDEX image_groups_public ON image_groups (recommend_count DESC, pub_time DESC, id DESC) WHERE public_versions > 0;

-- Who favours which group.
CREATE TABLE favorites (
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    group_id TEXT NOT NULL REFERENCES image_groups (id),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (account_id, group_id)
);

-- The image an instance was started from, and until when its use is counted there.
ALTER TABLE instances ADD COLUMN image_id TEXT NOT NULL DEFAULT '';
ALTER TABLE instances ADD COLUMN use_counted_until INTEGER NOT NULL DEFAULT 0;
CREATE INDEX instances_in_use ON instances (use_counted_until, id) WHERE image_id <> '';
