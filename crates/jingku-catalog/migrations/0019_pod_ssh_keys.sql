-- Compatible with programs of the version before.
-- The SSH keys of pods that have some, as lines of an authorized_keys file.
CREATE TABLE pod_ssh_keys (
    instance_id TEXT NOT NULL PRIMARY KEY,
    authorized_keys TEXT NOT NULL
);
