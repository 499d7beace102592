### `jingku serve`。

serve-catalog-moved = 目录数据库已迁移到 { $place }，本服务因此停止。请重新启动，服务会使用新位置。
serve-host-lost = 另一个服务已取得主机名 { $name }，本服务因此停止。没有丢失任何内容。
serve-keys-incomplete = JINGKU_PUBLIC_KEY 与 JINGKU_PRIVATE_KEY 必须同时设置或都不设置。
serve-bad-address = 监听地址无效：{ $error }
serve-tls-incomplete = 证书（--tls-cert 或 JINGKU_TLS_CERT）与私钥（--tls-key 或 JINGKU_TLS_KEY）必须同时设置或都不设置。
serve-public-plain-http = 其他机器可以访问 { $address }，明文 HTTP 会泄露镜像数据和链接。请用 --tls-cert 和 --tls-key 指定证书；若前面已有终止 TLS 的代理等，可用 --plain-http-on-public-addresses 或在配置中写 `plain_http_on_public_addresses = true` 明确允许。
serve-bad-engine = { $url } 不是容器引擎的地址。请写成 unix:///套接字路径，或用 none 表示不连接引擎。
serve-bad-collector = 无法发送调用链数据：{ $error }
serve-unknown-host = 无法解析 { $address } 中的主机名：{ $error }。请用 --listen 换一个地址。
serve-cannot-listen = 无法监听 { $address }：{ $error }。请用 --listen 换一个地址。
serve-cut-off = 部分工作未能及时完成，已被中断。
serve-data-dir = 数据目录：{ $path }
serve-new-key = 已为账号 1 生成密钥对：{ $path }
serve-read-only = 数据目录 { $path } 不可写，服务只能读取它当前的内容，拒绝任何修改。客户端命令请加 --base-url { $base_url }。
serve-second-signal = 再次收到信号，立即退出。
serve-demo-description = 由 jingku serve --demo 制作
serve-demo-try = 可以在另一个终端里试试：
serve-demo-try-with-keys = 可以在另一个终端里试试（请先在那里设置 JINGKU_PUBLIC_KEY 和 JINGKU_PRIVATE_KEY）：
serve-lab-loopback = --lab 仅限本机使用，而 { $address } 不是本机地址。请监听 127.0.0.1 或 [::1]。
serve-ephemeral-data-dir = --ephemeral 不保存任何数据，不能与 --data-dir 同用。请去掉其中一个。
serve-ephemeral-note = 所有数据都在内存中，退出后即丢失。
