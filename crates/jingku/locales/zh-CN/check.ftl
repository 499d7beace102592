### `jingku check` 与 `jingku sweep`。

check-bar-left = 剩余 { $time }
check-summary = { $images } 个镜像，{ $manifests } 个清单，{ $chunks } 个分块；完整校验了 { $read_chunks } 个（{ $size }）。
check-spare = 有 { $count } 个损坏的分块不属于任何镜像，可用 `jingku sweep` 删除。
check-clean = 没有发现问题。
check-catalog = 目录数据库：{ $problem }
check-object = { $object }：{ $reason }。涉及 { $images }
check-more-objects = ……另有 { $count } 个对象
check-trashed = 在回收站
check-data-damaged = 数据缺失或损坏
check-no-manifest = 目录记录中没有清单
check-bad-manifest-name = 目录记录中的 { $name } 不是清单
check-size-differs = 目录记录为 { $row } 字节，清单为 { $manifest } 字节
check-catalog-damaged = 目录数据库已损坏。请停止服务，保留该目录原样，并用 `jingku restore` 把备份恢复到另一个目录。
check-images-damaged = { $count } 个镜像已损坏。请从原实例重新制作（会同时修复损坏的分块），或用 `jingku restore` 恢复备份。

check-scrub = 巡检
check-scrub-none = 尚未开始，由服务进行
check-scrub-ended = 已完成，{ $start } 至 { $end }
check-scrub-percent = 自 { $start } 已完成 { $percent }%，每秒不超过 { $rate }
check-read = 已读取
check-read-amount = { $chunks } 个分块，{ $size }
check-found = 发现损坏
check-found-none = 无
check-found-some = { $objects } 个对象；镜像 { $images }
check-previous = 上次完成
check-last-sweep = 上次清理
check-last-sweep-removed = { $time }，删除 { $files } 个文件，共 { $size }
check-run-it = 运行 `jingku check` 列出目前损坏的内容。

check-sweep-removed = 已删除 { $files } 个文件，共 { $size }。
check-sweep-would-remove = 将删除 { $files } 个文件，共 { $size }。
