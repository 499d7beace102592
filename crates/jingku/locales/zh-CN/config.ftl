### `jingku config`。

config-valid = 配置有效。
config-default = 默认值
config-machine = 在本机找到
config-token = 指标的令牌不可用：{ $error }
