### `jingku cluster`。

cluster-forgotten = 已移除服务 { $name }。移除的实例：{ $instances }；失败的任务：{ $jobs }；失败的上传：{ $uploads }。
cluster-gone = 离线
cluster-idle = 空闲，上次为 { $host }
cluster-live = 在线
cluster-none = 目录数据库是一个文件，只由一个服务使用。
cluster-seconds-ago = { $seconds } 秒前
