-- Times are seconds since 1970. Lists and objects are JSON texts. There are no other types than INTEGER and TEXT.

-- One row: what is counted over the whole catalogue.
CREATE TABLE counters (
    accounts INTEGER NOT NULL
);
INSERT INTO counters (accounts) VALUES (0);

CREATE TABLE accounts (
    id INTEGER NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    project_id TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    -- Moves in the same transaction as every change that a list of the account can show.
    revision INTEGER NOT NULL
);

CREATE TABLE keys (
    public_key TEXT NOT NULL PRIMARY KEY,
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    name TEXT NOT NULL,
    sealed_private_key TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER
);
CREATE INDEX keys_of_account ON keys (account_id);

CREATE TABLE instances (
    id TEXT NOT NULL PRIMARY KEY,
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    name TEXT NOT NULL,
    region TEXT NOT NULL,
    zone TEXT NOT NULL,
    disk TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    gpu_type TEXT NOT NULL,
    created_at INTEGER NOT NULL
);
CREATE INDEX instances_newest ON instances (account_id, created_at DESC, id DESC);

CREATE TABLE images (
    id TEXT NOT NULL PRIMARY KEY,
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    name TEXT NOT NULL,
    status TEXT NOT NULL,
    description TEXT NOT NULL,
    tags TEXT NOT NULL,
    cover TEXT NOT NULL,
    visibility INTEGER NOT NULL,
    price_cents INTEGER NOT NULL,
    auto_start INTEGER NOT NULL,
    softwares TEXT,
    supported_gpu_types TEXT NOT NULL,
    software_ports TEXT NOT NULL,
    firewall_ports TEXT NOT NULL,
    image_use_time_hours INTEGER NOT NULL,
    created_count INTEGER NOT NULL,
    favorites_count INTEGER NOT NULL,
    failed_reason TEXT NOT NULL,
    create_time INTEGER NOT NULL,
    update_time INTEGER NOT NULL,
    pub_time INTEGER NOT NULL,
    group_id TEXT NOT NULL,
    version_name TEXT NOT NULL,
    version_desc TEXT NOT NULL,
    source_gpu_type TEXT NOT NULL,
    region TEXT NOT NULL,
    zone TEXT NOT NULL,
    source_instance_id TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    manifest TEXT,
    -- Set while the image is in the trash.
    deleted_at INTEGER,
    -- Last, because it is the longest and rarely read.
    readme TEXT NOT NULL
);
CREATE INDEX images_newest ON images (account_id, create_time DESC, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX images_newest_of_zone ON images (account_id, zone, create_time DESC, id DESC) WHERE deleted_at IS NULL;
-- An image that could not be made stays to be looked at, and its name is free.
CREATE UNIQUE INDEX images_name ON images (account_id, name) WHERE deleted_at IS NULL AND status <> 'UnAvailable';

-- How many images outside the trash an account has in a zone.
CREATE TABLE image_counts (
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    zone TEXT NOT NULL,
    images INTEGER NOT NULL,
    PRIMARY KEY (account_id, zone)
);

CREATE TABLE jobs (
    id TEXT NOT NULL PRIMARY KEY,
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    image_id TEXT NOT NULL REFERENCES images (id),
    -- Not a reference: the job is remembered longer than the instance.
    instance_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    worker TEXT,
    -- The worker has the job until then; null while the job waits.
    lease_until INTEGER,
    attempts INTEGER NOT NULL,
    started_at INTEGER,
    reported_at INTEGER,
    done_bytes INTEGER NOT NULL,
    total_bytes INTEGER NOT NULL,
    -- Null while the job is live; then with how it ended: done, failed or cancelled.
    finished_at INTEGER,
    outcome TEXT
);
CREATE UNIQUE INDEX jobs_live_of_instance ON jobs (instance_id) WHERE finished_at IS NULL;
CREATE INDEX jobs_live ON jobs (created_at, id) WHERE finished_at IS NULL;
-- An image is made by one job.
CREATE UNIQUE INDEX jobs_of_image ON jobs (image_id);
