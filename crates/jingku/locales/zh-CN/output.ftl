### 其他消息的外层。

output-error = 错误：{ $message }
output-warning = 警告：{ $message }
# 一条消息，以及应如何处理。
output-advice = { $message }{ $advice }
output-file = 无法使用 { $path }：{ $error }。
