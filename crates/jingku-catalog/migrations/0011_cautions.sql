-- What is to be said about the disk of an image although it was accepted; empty for nothing.
ALTER TABLE jobs ADD COLUMN caution TEXT NOT NULL DEFAULT '';
-- How the disk in a file is to be read, where its owner said so: raw or qcow2; null where its content decides.
ALTER TABLE uploads ADD COLUMN format TEXT;
