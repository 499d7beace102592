CREATE TABLE covers (
    -- Random, and all that is asked of whoever wants to see the picture.
    id TEXT NOT NULL PRIMARY KEY,
    media_type TEXT NOT NULL,
    -- The bytes of the picture in Base64.
    data TEXT NOT NULL
);

-- `images.cover` is the id of a cover, or empty. A copy of an image shares its cover.
CREATE INDEX images_cover ON images (cover) WHERE cover <> '';
