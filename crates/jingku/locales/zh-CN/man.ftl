### 手册页的标题。

man-name = 名称
man-synopsis = 概述
man-description = 描述
man-options = 选项
man-subcommands = 子命令
man-version = 版本
