### 各库 crate 的错误。英文取自错误自身的 Display，因此没有英文文件。

errors-master-key-wrong = 无法解密私钥：主密钥不是当初加密所用的那一把。请恢复原来的主密钥（数据目录中的 master.key，或环境变量 JINGKU_MASTER_KEY）。
errors-io = 无法使用 { $path }：{ $error }。
errors-store = 分块存储出错：{ $error }。
errors-catalog-failed = 目录数据库出错
errors-catalog-unopened = 无法打开目录数据库
errors-catalog = { $what }：{ $error }。
errors-catalog-read-only = { $what }：{ $error }。数据目录不可写，未做任何更改。
errors-catalog-another-store = { $what }：该数据库属于另一个数据目录。未做任何更改。请检查数据库的 URL 和 --data-dir。
errors-catalog-older-servers = { $what }：服务器 { $servers } 运行的是旧版本，无法使用本版本的数据库结构。未做任何更改。请先停止这些服务器；被强制结束的服务器要等租约到期才算停止。
errors-catalog-damaged = { $what }：{ $error }。请停止服务，保留该目录原样，并用 `jingku restore` 把备份恢复到另一个目录。
errors-task = 任务异常结束：{ $error }。

## 运维命令

errors-account-name-empty = 账号名不能为空，请给出一个名字。
errors-account-exists = 账号名 { $name } 已存在，请换一个名字。
errors-account-missing = 没有账号 { $id }。可用 `jingku account create 名字` 新建。
errors-key-missing = 没有未吊销的密钥 { $key }。`jingku key list` 列出全部密钥。
errors-key-exists = 公钥 { $key } 已存在，且私钥或账号不同，请换一个。
errors-range-invalid = { $range } 不是有效的 CIDR 范围。请写成 10.0.0.0/8、fd00::/8 或 192.0.2.7 的形式，且地址必须是该范围的第一个。
errors-ranges-too-many = 一把密钥最多限制到 { $max } 个地址范围，给出了 { $given } 个。请合并一些。
errors-instance-id-invalid = { $id } 不能用作实例 ID：限 1 到 64 个字符，可用 a-z A-Z 0-9 - _ .
errors-instance-exists = 实例 { $quoted } 已存在。请先用 `jingku instance remove { $id }` 移除。
errors-instance-missing = 没有实例 { $id }。`jingku instance list` 列出全部实例。
errors-host-missing = 没有名为 { $name } 的服务。用 `jingku cluster status` 查看全部服务。
errors-host-alive = 服务 { $name } 在 { $seconds } 秒前还在线。请先停止该服务，或等待租约到期。
errors-instance-busy = 正在用实例 { $id } 制作镜像。请等待完成，或先删除该镜像。
errors-review-missing = 没有待审核的镜像 { $id }。`jingku review list` 列出全部待审核镜像。
errors-reason-length = 原因限 1 到 { $max } 个字符，请说明要改什么。
errors-group-missing = 社区中没有镜像组 { $id }。
errors-zone-missing = 没有可用区 { $zone }。已知可用区：{ $known }。
errors-start-image-missing = 账号 { $account } 看不到可用来启动实例的镜像 { $id }。
errors-start-image-unfinished = 镜像 { $id } 正在制作或制作失败，不可能有实例由它启动。
errors-image-missing = 没有镜像 { $id }。`jingku image list` 列出账号的自制镜像。
errors-image-unfinished = 镜像 { $id } 正在制作、正在审核或制作失败。只有 Available 或 Offline 状态的镜像可用。
errors-image-name-invalid = { $name } 不能用作镜像名称：限 1 到 50 个汉字、字母、数字或 _ , . : -
errors-platform-name-taken = 镜像 { $id } 的名称已被另一个平台镜像占用。请用 --name 换一个名称。
errors-platform-image-missing = 没有平台镜像 { $id }，可能已被移除。
errors-trash-missing = 回收站中没有镜像 { $id }。`jingku trash list` 列出回收站中的镜像。
errors-trash-name-taken = 该账号已有另一个镜像名为 { $name }。请换一个名称恢复：`jingku trash restore { $id } --name 名称`。
errors-never-made = 镜像 { $id } 删除时还在制作，制作已随之终止，没有可恢复的数据。请重新制作。
errors-over-limit = 该账号的用量已达限额（{ $used }/{ $max }）。请删除一些镜像，或用 `jingku account limit` 提高限额。
errors-inside = 出错：{ $error }。

## 监听地址

errors-listen-no-port = { $text } 缺少端口，请写成 { $bare }:8480。
errors-listen-no-host = { $text } 缺少地址，请写成 127.0.0.1{ $bare }；监听全部 IPv4 地址时写成 0.0.0.0{ $bare }。
errors-listen-port-alone = { $text } 缺少地址，请写成 127.0.0.1:{ $bare }；监听全部 IPv4 地址时写成 0.0.0.0:{ $bare }。
errors-listen-bad-port = { $text } 不能用作端口：限 0 到 65535，0 表示任选空闲端口。
errors-listen-no-brackets = { $text } 中的 IPv6 地址须放在方括号内，如 [::1]:8480。
errors-listen-url = { $text } 是网址。只需给出地址和端口，如 127.0.0.1:8480。
errors-listen-bad-host = { $text } 既不是主机名，也不是 IP 地址。
errors-tls-unreadable = 无法读取 { $path }：{ $error }。
errors-tls-no-certificate = { $path } 中没有 PEM 格式的证书。
errors-tls-no-key = { $path } 中没有 PEM 格式的私钥。
errors-tls-refused = 证书 { $certificate } 与私钥 { $key } 不能一起使用：{ $error }。

## 打开数据目录

errors-start-in-use = 另一个 jingku 服务正在使用数据目录 { $path }。请先停止它，或换一个目录。
errors-start-moving = 另一个 `jingku migrate-database` 或 `jingku migrate-storage` 正在使用 { $path }。请等它结束。
errors-start-restoring = { $path } 正在恢复备份且未完成。请再次运行 `jingku restore`。
errors-start-no-library = { $path } 中没有镜像库：缺少 catalog.db。磁盘是否已挂载，--data-dir 是否正确？没有创建任何内容。
errors-start-catalog-gone = 目录数据库 { $path } 不见了，但它的日志还在：可能仍有服务在使用。未做任何改动。请停止该服务并把文件放回原处，或用 `jingku restore` 从备份恢复出另一个数据目录；如要重新开始，请把日志也移走。
errors-start-catalog-linked = 目录数据库 { $path } 是一个链接，它的日志可能在链接旁，也可能在文件旁。未做任何改动。请停止服务并把文件本身放在那里；要放到另一块磁盘上，请链接整个数据目录。
errors-start-log-gone = 有服务正在使用该数据目录，而它写入的 { $path } 不见了。未做任何改动。请把文件放回原处，或停止该服务：它会把已知的内容写入 catalog.db。
errors-start-catalog-lost = 目录数据库 { $path } 丢失或为空，而存储中还有它记录的镜像。未做任何更改。请把该文件放回原处，或用 `jingku restore` 从备份恢复出另一个数据目录；要重新开始，请移走目录 `store`。
errors-start-catalog-in-file = { $path } 的目录数据库在文件 catalog.db 中，因此不能改用外部数据库。未做任何更改。要迁移，请运行 `jingku migrate-database`。
errors-start-database-empty = 数据库是空的，而 { $path } 中有镜像。未做任何更改。请检查数据库的 URL，或用 `jingku restore` 把备份恢复到另一个目录。
errors-start-database-not-empty = 数据库不是空的。请恢复到一个新建的数据库。
errors-start-database-file = { $path } 有误：其中应有数据库的 URL 和标识。请恢复该文件。
errors-start-host-in-use = 另一个服务正在使用主机名 { $name }：{ $address }，{ $seconds } 秒前还在线。请在配置文件的 [cluster] 中用 `host` 为本服务换一个名字；如果那个服务已经崩溃，请一分钟后再启动本服务。
errors-start-master-key = 主密钥 { $place } 有误：必须是 64 位十六进制数字。
errors-start-storage-file = 文件 { $path } 已损坏。请在配置文件中设置 `storage`，然后删除该文件。
errors-start-store-in-folder = { $path } 的镜像数据在其目录 `store` 中，而配置文件设置了 `storage`。未做任何更改。要迁移数据，请运行 `jingku migrate-storage`。
errors-start-catalog-moved = 目录数据库现在位于 { $place }，或向那里的迁移被中断。未做任何更改。请修改配置文件中的 `database`，或再次运行被中断的 `jingku migrate-database`。
errors-start-store-elsewhere = 镜像数据不在 { $store }，而在 { $place }，或两者之间的迁移被中断。未做任何更改。请修改配置文件中的 `storage`，或再次运行被中断的 `jingku migrate-storage`。
errors-start-store = 无法打开分块存储：{ $error }。
errors-private-not-ours = 其他用户可以读取 { $path }（权限 { $mode }），且它属于另一个用户。请以其所有者身份运行 `chmod 700 { $path }`。
errors-private-shared = 其他用户可以读取 { $path }（权限 { $mode }），且它不是镜库专用的目录。请另选一个专用目录，如 { $better }；如果其他用户不需要它，也可运行 `chmod 700 { $path }`。
errors-private-everybodys = { $path } 是所有人共用的目录（权限 { $mode }）。请另选一个专用目录，如 { $better }。
errors-config-unreadable = 无法读取配置文件 { $path }：{ $error }。
errors-config-invalid = 配置文件 { $path } 有误：{ $error }
errors-fixtures-unreadable = 无法读取初始数据文件 { $path }：{ $error }。
errors-fixtures-invalid = 初始数据文件 { $path } 有误：{ $place }：{ $error }
errors-lab-unreachable = { $base_url } 没有服务应答。
errors-lab-none = { $base_url } 的服务没有开启 lab。请用 `jingku serve --ephemeral --lab` 启动。

## 备份与清理

errors-migrate-several-servers = 还有其他服务在使用该数据库：{ $names }。文件形式的目录数据库只能由一个服务使用。请先停止其他服务，等 `jingku cluster status` 显示它们已离开后再迁移。
errors-migrate-same-place = 已经在 { $place } 中。
errors-migrate-not-empty = { $place } 不是空的。请选择一个空数据库。
errors-migrate-read-only = 数据目录 { $path } 不可写。
errors-migrate-catalog = 目录数据库已损坏，没有迁移：{ $problems }。请运行 `jingku check` 并恢复备份。
errors-migrate-damaged =
    { $count } 个镜像已损坏，因此没有迁移镜像数据：{ $lines }
    请删除这些镜像，或用 --skip-damaged 不带走它们缺失的数据。
errors-backup-not-a-backup = { $path } 不是空目录，也不是镜库的备份。请换一个目录。
errors-backup-inside = { $path } 位于数据目录之内，会随之一同损坏。请换一个目录。
errors-backup-other-library = { $path } 是另一个镜像库（{ $found }）的备份，而当前镜像库是 { $own }。未做任何更改。--data-dir 是否正确，磁盘是否已挂载？如果无误，请备份到另一个目录。
errors-backup-few-images = 镜像库现有 { $now } 个镜像，而 { $path } 中的上一代备份有 { $before } 个：超过一半已不存在。未做任何更改。--data-dir 是否正确？如果镜像确已删除，请加 --force 重试。
errors-backup-no-generation = { $path } 中没有第 { $generation } 代备份。`jingku backup --list 目录` 列出已有的备份。
errors-backup-none = { $path } 中没有已完成的备份。请用 `jingku backup` 备份。
errors-backup-newer = { $path } 中的备份由更新版本的镜库制作，请安装该版本。
errors-backup-damaged-file = { $path } 丢失或损坏，与备份时不一致。请使用另一代备份（`jingku backup --list`、`jingku restore --at`）或另一份备份。
errors-backup-in-use = 另一个 jingku 命令正在使用 { $path }，请等待其完成。
errors-backup-not-empty = { $path } 不是空目录。备份只能恢复到新目录或空目录，请用 --data-dir 另选。
errors-backup-no-master-key = 数据目录中没有 master.key：主密钥来自 JINGKU_MASTER_KEY。请另行保存该密钥，并去掉 --with-master-key。
errors-backup-wrong-master-key = { $path } 无法解开本镜像库的密钥对：它不是正在使用的主密钥，备份它没有用处。请放回正确的主密钥，或去掉 --with-master-key 并另行保存正确的主密钥。
errors-backup-damaged =
    备份中有 { $count } 个镜像已损坏，没有恢复任何内容：{ $lines }
    请使用另一份备份，或用 --skip-damaged 跳过它们。
errors-sweep-catalog = 目录数据库已损坏，无法确定有哪些镜像，没有删除任何内容：{ $problems }。请运行 `jingku check`，并用备份恢复。
errors-sweep-no-manifest = 有镜像引用了 { $name }，它不是清单名，无法确定该镜像需要哪些分块，没有再删除任何内容。请运行 `jingku check` 查看是哪个镜像。
errors-sweep-bad-manifest = 有镜像的清单无法读取：{ $error }。无法确定该镜像需要哪些分块，没有再删除任何内容。请运行 `jingku check` 查看是哪个镜像，然后从实例重新制作，或将其永久清除。

## 磁盘文件

errors-disk-missing = { $path } 处没有文件。请检查路径。
errors-disk-backing = { $path } 引用的后备文件不可用。{ $error }
errors-disk-unusable = { $path } 不能用作磁盘：{ $error }。
errors-disk-foreign = { $path } 不是 raw 或 qcow2 磁盘：看起来是 { $kind }。请检查是否选错了文件。如果它确实是 raw 磁盘，请加上 `--format raw`。
errors-disk-foreign-convert = { $path } 不是 raw 或 qcow2 磁盘：看起来是 { $kind }。请先转换：`{ $command }`。如果它确实是 raw 磁盘，请加上 `--format raw`。
errors-disk-packed = 无法解压 { $path }：{ $error }。
errors-disk-damaged = qcow2 镜像 { $path } 已损坏：{ $error }。可用 `qemu-img check` 检查。
errors-disk-redeclare = { $path } 与登记实例时不同：{ $error }。请重新登记该实例。
errors-disk-in-use = { $path } 正被运行中的虚拟机使用。请先停止虚拟机。
errors-disk-stopped = 打开 { $path } 时被中止。请重试。
errors-disk-changed = 读取期间 { $path } 发生了变化。请停止写入后重试。
errors-disk-converter = { $path } 使用了 { $feature }，需要 qemu-img 读取，但是：{ $error }。
errors-disk-io = 无法读取 { $path }：{ $error }。
errors-packed-ends-early = 文件不完整，{ $packing } 内容中途结束。请与原文件比较大小后重新复制
errors-packed-followed = { $packing } 内容之后的第 { $at } 字节处还有其他数据
errors-packed-damaged = { $packing } 内容已损坏（{ $error }）
errors-packed-dictionary = zstd 内容需要字典（{ $id }），而文件中没有
errors-packed-memory = zstd 窗口需要 { $megabytes } MB，超出上限
errors-packed-empty = 其中没有内容
errors-packed-too-large = 解压后超过 { $gigabytes } GB
errors-caution-no-structure = 磁盘中没有分区表、文件系统或其他已知的磁盘结构，可能无法启动或挂载。请确认没有选错文件，也不是加密或以无法识别的方式打包的文件。如果它确实是 raw 磁盘，加上 `--format raw` 即可不再提示。
errors-caution-holds = qcow2 文件中的磁盘没有分区表或文件系统，看起来是 { $kind }，可能无法启动或挂载。请确认没有选错文件。
errors-kind-tar = tar 归档
errors-kind-zip = zip 压缩包
errors-kind-7z = 7z 压缩包
errors-kind-rar = rar 压缩包
errors-kind-cpio = cpio 归档
errors-kind-ova = OVA 归档
errors-kind-html = HTML 网页
errors-kind-xml = XML 文档
errors-kind-json = JSON 文档
errors-kind-text = 纯文本
errors-kind-script = 脚本

## API

errors-api-fix-request = 请求被拒绝：{ $message }（{ $code }）。请修改请求参数。
errors-api-fix-credentials = 请求被拒绝：{ $message }（{ $code }）。请检查密钥对及其权限。
errors-api-look-again = 请求被拒绝：{ $message }（{ $code }）。请先查看相关资源的当前状态。
errors-api-later = 请求被拒绝：{ $message }（{ $code }）。请稍后再试。
errors-api-fault = 请求被拒绝：{ $message }（{ $code }）。服务端出错，请查看服务端日志。
errors-api-code-and-id = RetCode { $code }，请求 ID { $request_id }
errors-client-config = 客户端配置有误：{ $error }。
errors-client-connect = 无法连接服务：{ $error }。
errors-client-transport = 连接中断：{ $error }。
errors-client-timeout = { $seconds } 秒内没有应答。
errors-client-http = 收到 HTTP 状态 { $status }，对方可能不是此 API。
errors-client-undecodable = 无法理解应答：{ $error }。
errors-client-cannot-export = 此服务不能导出镜像数据：导出是镜库的扩展功能。
errors-client-cannot-import = 此服务不能接收磁盘文件：导入是镜库的扩展功能。
errors-client-cannot-filter = 此服务不能筛选或排序镜像列表：这是镜库的扩展功能。
errors-client-image-failed = 镜像 { $id } 制作失败：{ $error }。
errors-client-image-failed-unknown = 镜像 { $id } 制作失败，服务没有给出原因。
errors-client-image-gone = 镜像 { $id } 不存在或已删除。
errors-client-still-making = { $seconds } 秒后镜像 { $id } 仍在制作中，可以继续等待。
