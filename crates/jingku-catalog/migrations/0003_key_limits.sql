ALTER TABLE keys ADD COLUMN read_only INTEGER NOT NULL DEFAULT 0;
-- Ranges of addresses the key is good from; none of them means everywhere.
ALTER TABLE keys ADD COLUMN allowed_addresses TEXT NOT NULL DEFAULT '[]';
