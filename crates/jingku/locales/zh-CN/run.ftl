### `jingku run` 及其代理。

run-no-command = 找不到命令 { $program }：不在 PATH 中，或没有安装。
run-cannot-run = 无法运行 { $program }：{ $error }。
run-cannot-connect = 无法连接：{ $error }。
run-cannot-listen = 无法在本机端口上监听：{ $error }。
run-refused-tunnel = jingku：拒绝连接 { $place }：只允许到 { $hosts } 的 HTTPS，以及到 { $own } 的请求。
run-refused-request = jingku：拒绝对 { $place } 的 { $method } 请求：只允许到 { $hosts } 的 HTTPS，以及到 { $own } 的请求。
run-hosts = { $first } 和 { $second }
run-distrust = jingku：程序拒绝了 { $host } 的证书。它不读取 SSL_CERT_FILE、REQUESTS_CA_BUNDLE 和 NODE_EXTRA_CA_CERTS，或启动时没有这些变量。请让它信任 { $path }。
run-no-answer = jingku：服务没有应答：{ $error }。
