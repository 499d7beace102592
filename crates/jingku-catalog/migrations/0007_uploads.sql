-- The files that images are made of and that are on their way in, or wait for their job. An image has a row here only while
-- it is 'Making'.
CREATE TABLE uploads (
    image_id TEXT NOT NULL PRIMARY KEY REFERENCES images (id),
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    -- Bytes of the file; null until somebody knows.
    size_bytes INTEGER,
    -- Hash of the file in hexadecimal; null until somebody knows.
    blake3 TEXT,
    -- Bytes that have come and are durable.
    received_bytes INTEGER NOT NULL,
    -- When the last of them came.
    heard_at INTEGER NOT NULL,
    -- When all had come and the hash had agreed: from then on there is a job.
    finished_at INTEGER
);
CREATE INDEX uploads_of_account ON uploads (account_id);
