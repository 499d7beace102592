### `jingku health`。

health-ready = { $base_url } 已就绪。
health-not-ready = { $base_url } 未就绪：{ $reason }
