### `jingku cluster`.

cluster-forgotten = Forgot the server { $name }. Removed instances: { $instances }. Failed jobs: { $jobs }. Failed uploads: { $uploads }.
cluster-gone = gone
cluster-idle = idle; last { $host }
cluster-live = live
cluster-none = The catalogue is a file, which one server uses.
cluster-seconds-ago = { $seconds } s ago
