-- What the API keeps of a container that it created; the instance has the same id. After its termination the row remains,
-- without an instance, until the engine has removed the container.
CREATE TABLE pods (
    instance_id TEXT NOT NULL PRIMARY KEY,
    account_id INTEGER NOT NULL,
    -- The state while no operation runs.
    state TEXT NOT NULL,
    -- The operation that runs; null for none.
    operation TEXT,
    -- What the operation was asked to do, as JSON that the catalogue does not interpret.
    options TEXT NOT NULL,
    -- When the operation began, or the state if none runs.
    since INTEGER NOT NULL,
    -- Why the last operation failed; empty if it did not.
    failed_reason TEXT NOT NULL,
    remark TEXT NOT NULL,
    -- The password of root, sealed with the master key.
    password TEXT NOT NULL,
    -- Whether the password is yet to be set in the container.
    password_pending INTEGER NOT NULL,
    cpu INTEGER NOT NULL,
    memory_mb INTEGER NOT NULL,
    gpus INTEGER NOT NULL,
    -- The names of its GPUs in the engine, as a JSON list. No two pods that run have one in common.
    devices TEXT NOT NULL,
    -- The tier of a start without GPUs, A or B; empty for a start with them.
    without_gpu TEXT NOT NULL,
    disk_gb INTEGER NOT NULL,
    charge_type TEXT NOT NULL,
    -- When it is to be stopped; 0 for never.
    stop_at INTEGER NOT NULL,
    -- When it was last started and stopped; 0 for never.
    started_at INTEGER NOT NULL,
    stopped_at INTEGER NOT NULL,
    -- The image of the engine that was loaded for it; empty if none was.
    loaded_image TEXT NOT NULL
);
CREATE INDEX pods_busy ON pods (operation) WHERE operation IS NOT NULL;
CREATE INDEX pods_to_stop ON pods (stop_at) WHERE stop_at > 0;
-- The ports of pods. The port of the machine stays the same as long as the pod has the port.
CREATE TABLE pod_ports (
    host_port INTEGER NOT NULL PRIMARY KEY,
    instance_id TEXT NOT NULL,
    -- http, tcp or udp.
    kind TEXT NOT NULL,
    port INTEGER NOT NULL
);
CREATE INDEX pod_ports_of_instance ON pod_ports (instance_id);
