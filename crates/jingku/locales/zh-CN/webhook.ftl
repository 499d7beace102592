### `jingku webhook`。

webhook-created = 已创建 { $id }，密钥为 { $secret }
webhook-secret-once = 密钥不再显示。接收方用它验证签名。
webhook-none = 没有 Webhook。
webhook-deleted = 已删除。等待中的事件不再发送。
webhook-no-deliveries = 没有事件。
webhook-retried = 将重新发送。
