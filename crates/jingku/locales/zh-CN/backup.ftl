### `jingku backup` 与 `jingku restore`。

backup-damaged = 已损坏
backup-yes = 有
backup-no = 无
backup-done = 已备份 { $images } 个镜像，为第 { $generation } 代：{ $copied }。
backup-pruned = 删除了 { $generations } 代旧备份，共 { $objects } 个对象（{ $size }）。
backup-copied = 复制了 { $objects } 个对象（{ $size }），{ $present } 个已存在（{ $present_size }）
backup-copied-repaired = 复制了 { $objects } 个对象（{ $size }），{ $present } 个已存在（{ $present_size }），替换了 { $repaired } 个损坏的对象
backup-master-key-changed = 主密钥在上次备份后已更换，备份中只有旧密钥。请加 --with-master-key 再备份一次。
backup-master-key-absent = 备份不含主密钥。请另行保存，否则恢复后所有密钥对都不可用。
backup-prune-stopped = 没有从备份中删除旧内容，仅多占用空间：{ $reason }
backup-images-damaged = 备份已完成，但数据目录中有 { $count } 个镜像已损坏，备份中也是如此：{ $lines }
backup-restored = 已将 { $time }（第 { $generation } 代）的 { $images } 个镜像恢复到 { $path }：{ $copied }。
backup-restore-skipped = 已跳过损坏的镜像：{ $lines }
backup-restore-no-master-key = 备份不含主密钥。首次启动前请把原来的密钥放到 { $path }/master.key，或设置 JINGKU_MASTER_KEY，否则所有密钥对都不可用。
