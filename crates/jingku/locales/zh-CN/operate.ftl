### 运维命令：账号、密钥、实例、审核与平台镜像。

operate-no-data-dir = 没有数据目录 { $path }。
operate-account-none = 没有账号。
operate-account = 账号
operate-public-key = 公钥
operate-private-key = 私钥
operate-key-once = 私钥不会再次显示。
operate-key-none = 没有密钥。
operate-key-revoked = 已吊销。
operate-key-revoked-on = { $date } 吊销
operate-key-restricted = 自下一次请求起：{ $limits }。
operate-key-unrestricted = 无限制
operate-key-read-only = 只读
operate-key-from = 来自 { $addresses }
operate-key-read-only-from = 只读，来自 { $addresses }
operate-limit-own = 本账号
operate-limit-default = 默认
operate-instance-none = 没有实例。
operate-instance-added = 已登记 { $id }，{ $size }：
operate-instance-removed = 已移除登记。
operate-promoted = 所有账号现在都能看到它：平台 { $kind } 类镜像，名称为 { $name }。
operate-demoted = 已从平台镜像中移除。
operate-review-none = 没有待审核的镜像。
operate-review-approved = 已通过，镜像现已公开。
operate-review-refused = 已驳回，所有者可看到原因。
operate-review-recommended = 已设置排序权重。
operate-review-free = 免费
