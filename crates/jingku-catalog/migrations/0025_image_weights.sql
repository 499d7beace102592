-- Compatible with programs of the version before.
-- How much data each image of an account had when the account was measured last. Not columns of images: lists do not show
-- it, and a measurement must not make them stale. The next measurement removes rows of images that are gone.
CREATE TABLE image_weights (
    account_id INTEGER NOT NULL,
    image_id TEXT NOT NULL,
    stored_bytes INTEGER NOT NULL,
    unique_bytes INTEGER NOT NULL,
    PRIMARY KEY (account_id, image_id)
);
