### `jingku migrate-database` 与 `jingku migrate-storage`。

migrate-database-target = 请写 --to postgres://用户@主机/数据库，或用 --to sqlite 表示数据目录中的文件 catalog.db。
migrate-database-copied = 已复制 { $rows } 行。服务仍可修改目录数据库。
migrate-database-finishing = 正在复制并比对上一轮之后的改动。在此期间，改动会等待或返回 150。
migrate-database-done = 已将目录数据库从 { $from } 迁移到 { $to }：共 { $rows } 行，逐行比对一致；本次写入 { $written } 行。
migrate-database-hint = 正在运行的服务随即停止。如果没有守护程序自动重启，请重新启动。服务会自动找到该数据库；配置文件中的 `database` 或 JINGKU_DATABASE 如已设置，须指向它：{ $to }
migrate-database-file-hint = 正在运行的服务随即停止。请从配置文件中删去 `database`，并取消服务环境中的 JINGKU_DATABASE，然后重新启动服务。
migrate-progress = { $speed }/s，剩余 { $left }
migrate-progress-line = { $percent }%，{ $line }
migrate-storage-target = 请写 --to s3://存储桶/前缀，或用 --to disk 表示数据目录中的目录 `store`。
migrate-storage-waiting = 所有镜像已复制，但服务仍在运行。请现在停止服务：随后会复制新增的内容并完成迁移。在此之前一切照旧。
migrate-storage-done = 已将镜像数据从 { $from } 迁移到 { $to }：{ $copied }。
migrate-storage-damaged = 已损坏的镜像仍是损坏的：{ $lines }
migrate-storage-hint = 服务会自动找到该存储桶；配置文件中的 `storage` 如已设置，须指向它。`jingku check --read-data` 通过后，可以删除 { $from }。
migrate-storage-disk-hint = 请从配置文件中删去 `storage`。`jingku check --read-data` 通过后，可以删除 { $from }。
