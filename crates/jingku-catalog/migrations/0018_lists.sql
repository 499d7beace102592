-- What lists of several accounts need to be answered from memory. A program without this migration changes groups and
-- shares without it, so it cannot run beside one with it.

-- The ordinal of the last change of what a list shows of the group: a server that knows the order of groups reads only
-- those that changed.
ALTER TABLE image_groups ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;
CREATE INDEX image_groups_changed ON image_groups (changed);

-- Of the image, where they never change: its place in lists of shared images.
ALTER TABLE shares ADD COLUMN image_time INTEGER NOT NULL DEFAULT 0;
ALTER TABLE shares ADD COLUMN image_ordinal INTEGER NOT NULL DEFAULT 0;
ALTER TABLE shares ADD COLUMN zone TEXT NOT NULL DEFAULT '';
UPDATE shares SET image_time = i.create_time, image_ordinal = i.ordinal, zone = i.zone
FROM images i WHERE i.id = shares.image_id;
CREATE INDEX shares_newest ON shares (account_id, image_time, image_ordinal, zone, image_id);
-- The account's revision when an image was last shared with it, or no longer.
ALTER TABLE accounts ADD COLUMN shares_changed INTEGER NOT NULL DEFAULT 0;
