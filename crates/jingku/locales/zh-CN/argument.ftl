### 命令行中无法使用的值。

argument-age = 请写整数，单位 d、h、m 或 s，如 7d
argument-audit-note = 请写 `jingku audit verify` 显示的编号和哈希：12:4f…
argument-audit-result = 请写返回码（如 8039）或 failed
argument-blake3 = 请写 64 位十六进制数
argument-bytes = 请写成 1048576、512M 或 20G 的形式；K、M、G、T 以 1024 为进制
argument-count-limit = 请写整数或 default
argument-data-dir-empty = --data-dir 为空。请指定目录，或去掉该选项。
argument-lifetime = 请写成 90s、10m 或 2h 的形式，最长 24h
argument-megabytes = 请写整数，单位 MB、GB 或 TB，如 20GB
argument-moment = 请写日期（2026-11-24）、时间（2026-11-24T08:00）或多久以前（7d、12h）
argument-platform-type = 可用 System、App、Game 或 Other
argument-seconds = 不是秒数
argument-size-limit = 请写大小，如 500GB，或 default
argument-status = 可用的状态有 { $known }
argument-subset = 请写成 N/M 的形式，如 1/7
argument-time = { $text } 不是时间。请使用 Unix 秒，或如 2026-11-24T08:00:00Z 的时间。
