### `jingku image import`。

import-stopped = 已停止。
import-stopped-waiting = 已停止等待。
import-resumable = 24 小时内再次运行同一命令即可续传。放弃此次上传：{ $command }
import-left-over = 未完成的镜像仍然存在，请删除：{ $command }
import-unbounded = { $name } 通过管道传来 raw 磁盘，而 raw 磁盘没有结束标记：写入方一旦中断，残缺的内容就会成为镜像。请让镜库运行该命令：`jingku image import --name { $image } -- COMMAND…`；或说明应收到的内容：`jingku image import { $name } --name { $image } --size BYTES`，或 --blake3 HEX。
import-wrong-size = { $name } 有 { $read } 字节，而应为 { $expected } 字节，没有导入任何内容。
import-too-long = { $name } 超过应有的 { $expected } 字节，没有导入任何内容。
import-wrong-hash = { $name } 的 BLAKE3 与给定值不符，没有导入任何内容。
import-other-file = 另一个文件正以该名称导入，或 { $name } 在那次导入开始后发生了变化。请换一个名称，或先删除镜像 { $id }。
import-terminal = 磁盘内容不能从终端输入：请用管道或重定向。
import-empty = { $name } 是空的。
import-changed = { $name } 在读取过程中发生了变化，镜像会混杂两种状态。请停止写入后重新导入。
import-in-use = { $name } 正在使用：可能有虚拟机在写入，或已被挂载。请停止虚拟机或卸载，或改为导入其快照。
import-producer-stuck = 命令 `{ $command }` 关闭了输出却没有退出，没有导入任何内容。
import-producer-failed = 命令 `{ $command }` 失败（{ $status }），没有导入任何内容。
