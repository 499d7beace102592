### `jingku audit`。

audit-none = 没有记录。
audit-done = 成功
audit-read = 已读取 { $read } 条记录，另有 { $removed } 条因过期被移除。
audit-intact = 审计日志完整。
audit-head = 请将以下标记另行保存，日后可用 --from 检查日志是否被重写：{ $head }
audit-damaged = 审计日志不完整，发现 { $count } 个问题。
audit-changed = 第 { $seq } 条记录被修改。
audit-missing = 缺少第 { $first } 至 { $last } 条记录。
audit-unlinked = 第 { $seq } 条记录与前一条不衔接：其中一条被替换或插入。
audit-wrong-head = 第 { $seq } 条记录不是所登记的最后一条：日志末尾被改动。
audit-rewritten = 第 { $seq } 条记录与标记不符：日志被重写。
audit-shorter = 日志没有标记中的第 { $seq } 条记录：记录被删除，或恢复了较早的备份。
audit-expired = 标记中的第 { $seq } 条记录已因过期被移除，无法比对。请使用较新的标记。
