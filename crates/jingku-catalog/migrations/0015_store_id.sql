-- Compatible with programs of the version before.
-- Names the data directory that has the objects of the images, in a database outside of it; empty in a file.
ALTER TABLE counters ADD COLUMN store_id TEXT NOT NULL DEFAULT '';
