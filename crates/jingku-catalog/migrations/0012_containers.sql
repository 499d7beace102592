-- What an engine last said about the container of an instance, as JSON that the catalogue does not interpret; null for a
-- VM disk.
ALTER TABLE instances ADD COLUMN container TEXT;
-- When the engine was last seen with it.
ALTER TABLE instances ADD COLUMN seen_at INTEGER NOT NULL DEFAULT 0;
-- The image for which the container is paused; empty while it is not.
ALTER TABLE instances ADD COLUMN paused_for TEXT NOT NULL DEFAULT '';
CREATE INDEX instances_of_engine ON instances (id) WHERE container IS NOT NULL;
-- The OCI documents of an image of a container, as JSON; null for the image of a disk.
ALTER TABLE images ADD COLUMN oci TEXT;
-- What was left out of an image of a container, as JSON.
ALTER TABLE images ADD COLUMN left_out TEXT;
-- How the container of a job is to be saved, as JSON that the catalogue does not interpret; empty for a disk.
ALTER TABLE jobs ADD COLUMN options TEXT NOT NULL DEFAULT '';
