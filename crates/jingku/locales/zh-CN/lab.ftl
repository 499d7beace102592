### `jingku lab`。

lab-which-server = 未指定服务。请把 --base-url 或 JINGKU_BASE_URL 设为 `jingku serve --ephemeral --lab` 输出的地址。
lab-no-tls = lab 在本机运行，只使用 HTTP：请把 { $base_url } 中的 https:// 改为 http://。
lab-done = 完成。
lab-no-answer = 无应答
lab-sent = 参数
lab-unknown = 未知参数
lab-refused = 被拒绝的参数
lab-missing = 缺少参数
lab-injected = 注入
lab-signature = 签名
