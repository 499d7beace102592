### `jingku migrate-database` and `jingku migrate-storage`.

migrate-database-target = Write --to postgres://USER@HOST/DATABASE, or --to sqlite for the file catalog.db of the data directory.
migrate-database-copied = Copied { $rows } rows. Servers can still change the catalogue.
migrate-database-finishing = Copying and comparing what has changed since the last pass. Until this ends, changes wait or are refused with 150.
migrate-database-done = Moved the catalogue from { $from } to { $to }: { $rows } rows, each compared; { $written } written in this run.
migrate-database-hint = A running server stops now. Start it again, unless its supervisor does. It finds the database by itself; a `database` in the configuration or JINGKU_DATABASE must name it: { $to }
migrate-database-file-hint = A running server stops now. Remove `database` from the configuration, and JINGKU_DATABASE from the environment of the server; then start it again.
migrate-progress = { $speed }/s, { $left } left
migrate-progress-line = { $percent }%, { $line }
migrate-storage-target = Write --to s3://BUCKET/PREFIX, or --to disk for the folder `store` of the data directory.
migrate-storage-waiting = All images are copied, but a server is running. Stop it now: the move then copies what is new and ends. Until then, nothing has changed.
migrate-storage-done = Moved the images from { $from } to { $to }: { $copied }.
migrate-storage-damaged = Corrupted images stay corrupted:{ $lines }
migrate-storage-hint = The server finds the bucket by itself; a `storage` in the configuration must name it. When `jingku check --read-data` succeeds, you can remove { $from }.
migrate-storage-disk-hint = Remove `storage` from the configuration. When `jingku check --read-data` succeeds, you can remove { $from }.
