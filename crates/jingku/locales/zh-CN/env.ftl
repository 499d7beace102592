### `jingku env`：示例程序中的注释。

env-no-zone = 服务没有与 { $wanted } 对应的可用区。请同时指定 --region 和 --zone。
env-typed = 带类型的方法必须给出可用区；{ $call } 不需要。
env-typed-only = SDK 要求必须给出可用区。
env-retries = 该 SDK 最多发送四次，即使服务已明确拒绝。
env-logger = 否则 SDK 会输出每个请求和应答。
env-untyped = 该 SDK 没有此 API 的类，但其客户端可以调用任意 Action。
