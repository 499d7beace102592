### `jingku trash`。

trash-none = 回收站是空的。
trash-restored = 已恢复，名称为 { $name }，仅自己可见。
trash-emptied = 已永久清除 { $images } 个镜像，共 { $size }。
trash-would-empty = 将永久清除 { $images } 个镜像，共 { $size }。
trash-held-back = 系统时钟曾向前跳变，或服务运行尚不足一天。服务再运行 { $hours } 小时之前，回收站中的镜像不会过期。请检查本机时钟。`jingku trash empty` 可立即清空回收站。
