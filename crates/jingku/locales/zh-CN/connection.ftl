### API 的地址，以及签名所用的密钥。

connection-no-home = 找不到主目录。请设置 HOME，或用 --data-dir 指定数据目录。
connection-no-server = 此处还没有运行过服务，也没有用 --base-url、JINGKU_BASE_URL 或 --profile 指定其他服务。
connection-unreachable = { $base_url } 没有服务应答。
connection-start-server = 启动服务：{ $command }
connection-key-missing = 缺少 { $key }。请用 --{ $key }、环境变量 { $variable } 或 --profile 指定。
connection-key-control = { $key } 中含有换行或其他控制字符。请重新复制为一行。
connection-key-address = 此密钥对不能从当前地址使用。请换一对，或请管理员放行该地址。
connection-key-permission = 此密钥对无权执行该操作，可能只能读取。请换一对。
connection-profiles-no-home = 找不到主目录，因而找不到 profiles.toml。请设置 HOME 或 XDG_CONFIG_HOME。
connection-profile-unknown = { $file } 中没有 [{ $name }] 这一节。其中有：{ $known }。
connection-profile-none = { $file } 中没有 [{ $name }] 这一节：文件中没有任何一节。
connection-no-permission = 请以运行该服务的用户执行，或用 --base-url、--public-key、--private-key 指定服务和密钥对。
connection-settings-invalid = { $file } 有误：{ $error }
connection-url-no-scheme = API 地址 { $url } 缺少 http:// 或 https://。请写成 http://{ $host }；服务使用 TLS 时写成 https://{ $host }。
connection-url-invalid = API 地址 { $url } 无效：{ $error }。
connection-url-scheme = API 地址 { $url } 必须以 http:// 或 https:// 开头。
connection-url-credentials = API 地址中含有用户名或密码，而 API 不使用它们。请去掉 @ 之前的部分。
connection-url-query = API 地址 { $url } 含有查询参数或片段。请去掉 ? 或 # 及其之后的部分。
connection-no-tls = 服务没有使用 TLS：请把 API 地址中的 https:// 改为 http://。
connection-no-http = 服务的应答不是 HTTP。如果它使用 TLS，请把 API 地址中的 http:// 改为 https://。
connection-maybe-tls = 如果服务使用 TLS，请把 API 地址中的 http:// 改为 https://。
