### `jingku cluster`.

cluster-gone = gone
cluster-idle = idle; last { $host }
cluster-live = live
cluster-none = The catalogue is a file, which one server uses.
cluster-seconds-ago = { $seconds } s ago
