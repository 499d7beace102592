-- Bytes of the file that are no hole, as its sender says; null until somebody knows.
ALTER TABLE uploads ADD COLUMN data_bytes INTEGER;
-- What has come takes up so many bytes.
ALTER TABLE uploads ADD COLUMN stored_bytes INTEGER NOT NULL DEFAULT 0;
UPDATE uploads SET stored_bytes = received_bytes;
-- State of the sparse hash of what has come, in hexadecimal, with which it is resumed without reading; null when it is
-- not known.
ALTER TABLE uploads ADD COLUMN sparse_state TEXT;
-- Sparse hash of the file in hexadecimal, when both sides have agreed on that one.
ALTER TABLE uploads ADD COLUMN sparse_hash TEXT;
