console-once = 链接在 5 分钟内有效，只能登录一次，请勿转发。
console-not-opened = 无法在此打开浏览器，请自行打开链接。
console-absent = { $base_url } 的服务没有网页控制台。
console-refused = 服务未能创建链接：{ $message }
console-operators-signed-out = 已结束运维人员的 { $count } 个会话或链接。
