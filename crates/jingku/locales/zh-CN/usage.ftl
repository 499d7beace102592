### `jingku usage`。

usage-none = 没有镜像。
usage-images = 镜像
usage-trash = 仅回收站
usage-garbage = 垃圾
usage-damaged = 已损坏
usage-trashed = 在回收站
usage-missing = 数据有缺失：{ $chunks } 个分块，{ $images } 个镜像的清单。
