-- Compatible with programs of the version before.
-- The most bytes of distinct chunks that the images of an account may need. A program without this migration does not
-- enforce it.
ALTER TABLE accounts ADD COLUMN unique_bytes_max INTEGER;
