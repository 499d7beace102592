### `jingku usage` 与 `jingku image usage`。

usage-none = 没有镜像。
usage-images = 镜像
usage-trash = 仅回收站
usage-garbage = 垃圾
usage-damaged = 已损坏
usage-trashed = 在回收站
usage-missing = 数据有缺失：{ $chunks } 个分块，{ $images } 个镜像的清单。
usage-not-measured = 有镜像后几分钟内首次统计，此后每天统计一次。
usage-image-not-measured = 该镜像尚未统计，约一小时内统计。
usage-others = 其余 { $count } 个镜像的数据量为 { $stored }。
usage-measured = 统计于 { $time }，均为压缩前的大小：数据量 { $stored }，其中仅回收站使用 { $trash }。
