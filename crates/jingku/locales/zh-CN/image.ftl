### `jingku image`（import 除外）。

image-none = 没有镜像。
image-some = 共 { $total } 个镜像，显示 { $shown } 个
image-missing = 没有镜像 { $id }。
image-updated = 已更新。
image-deleted = 已删除。
image-restored = 已恢复 { $count } 个镜像，仅自己可见。
image-purged = 已永久清除 { $count } 个镜像。
image-field-id = ID
image-field-name = 名称
image-field-status = 状态
image-field-reason = 原因
image-field-size = 大小
image-field-zone = 可用区
image-field-created = 创建时间
image-field-tags = 标签
image-field-gpu = GPU
image-field-cover = 封面
image-field-description = 描述
image-field-pull = 拉取命令
image-field-left-out = 未收入的文件数
image-field-read-from = 读取来源
image-field-secrets = 疑似密钥的文件数
image-paths-more = 每类只显示 { $shown } 个路径；--json 列出更多。
image-secret = { $path }（疑似密钥）
image-pull = `podman login` 之后，用此命令拉取：{ $command }

image-cover-size = { $path } 是空的，或超过 4 MiB。
image-cover-limits = 封面须为 PNG、JPEG、WebP 或 GIF，不超过 512 KiB，边长不超过 4096 像素。
image-link-note = { $time } 之前，持有此链接者均可下载该镜像。

image-estimate-size = 需读取
image-estimate-new = 新增数据
image-estimate-time = 耗时
image-estimate-seconds = 约 { $seconds } 秒
image-estimate-sampled = 已抽样
image-estimate-fits = 能否放下
image-estimate-fits-yes = 能
image-estimate-fits-no = 不能
image-estimate-ignored = 服务端不支持 --estimate，已开始制作镜像 { $id }。如不需要，请删除。
image-started = 正在制作。查看进度：{ $command }
image-detached = 已停止等待，服务仍在制作镜像。查看进度：{ $command }
image-available = { $id } 已可用：{ $name }（{ $size }）
image-failed = 失败：{ $reason }
image-progress = { $status } { $percent }%，剩余 { $seconds } 秒
image-bar-left = 剩余 { $time }
image-bar-present = 已有 { $size }

image-export-terminal = 磁盘内容不能输出到终端：请用管道或重定向。
image-export-exists = { $path } 已存在。请换一个文件。
image-export-stopped = 已停止，没有写入文件。
image-export-no-size = 服务端没有给出镜像大小。
image-export-cut = 传输在 { $length } 字节中的第 { $received } 字节处中断，没有写入文件。原因见服务端日志。
image-export-documents = 读不到镜像的描述文件：{ $error }
image-export-disk = { $id } 是磁盘镜像，请导出为 raw 或 qcow2。
image-export-container = { $id } 是容器镜像，请导出为 oci 或 docker-archive。
image-exported = 已写入 { $path }
