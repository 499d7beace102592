-- Compatible with programs of the version before.
-- URLs that are told about changes of images. A program without this migration changes images and tells nobody.
CREATE TABLE webhooks (
    id TEXT NOT NULL PRIMARY KEY,
    account_id INTEGER NOT NULL,
    url TEXT NOT NULL,
    -- The events it is told about, as a JSON list of their names.
    events TEXT NOT NULL,
    -- The key that signs its requests, sealed with the master key.
    secret TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    -- Events that were not queued because too many waited.
    dropped INTEGER NOT NULL,
    -- When its next delivery is due; null if none waits.
    due_at INTEGER,
    -- Until when a server sends one of its deliveries.
    busy_until INTEGER NOT NULL,
    -- When a delivery was last tried.
    tried_at INTEGER NOT NULL
);
CREATE INDEX webhooks_of_account ON webhooks (account_id);
CREATE INDEX webhooks_due ON webhooks (due_at) WHERE due_at IS NOT NULL;
-- Events and what became of them. The image is described as it was at the event.
CREATE TABLE webhook_deliveries (
    -- An ordinal.
    id INTEGER NOT NULL PRIMARY KEY,
    webhook_id TEXT NOT NULL,
    event TEXT NOT NULL,
    occurred_at INTEGER NOT NULL,
    image_id TEXT NOT NULL,
    image_name TEXT NOT NULL,
    image_status TEXT NOT NULL,
    failed_reason TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    -- The accounts that the image was shared with by this event, as a JSON list.
    accounts TEXT NOT NULL,
    -- Waiting, Delivered or Dead.
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    -- When it is due, while it waits; otherwise when it ended.
    time INTEGER NOT NULL,
    -- What the last attempt led to: an HTTP status or an error.
    answer TEXT NOT NULL
);
CREATE INDEX webhook_deliveries_of_webhook ON webhook_deliveries (webhook_id, id);
CREATE INDEX webhook_deliveries_waiting ON webhook_deliveries (webhook_id, time) WHERE state = 'Waiting';
CREATE INDEX webhook_deliveries_ended ON webhook_deliveries (time) WHERE state <> 'Waiting';
