### `jingku health`.

health-ready = { $base_url } is ready.
health-not-ready = { $base_url } is not ready: { $reason }
