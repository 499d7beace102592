### 单独运行 `jingku` 时显示的一屏内容：不超过 24 行、80 列。

overview-screen =
    镜库 - 自建的 GPU 自制镜像库

    试一试
      jingku serve --demo              启动服务，自带两块小磁盘和一个镜像

    服务
      jingku serve                     在 127.0.0.1:8480 运行服务
      jingku instance add|list|remove  登记用来制作镜像的虚拟机磁盘
      jingku account|key create|list   每个租户一个账号，及请求签名所用的密钥对
      jingku backup|restore 目录       备份与恢复数据目录；另有 trash、usage
      jingku check                     { $check }
      jingku serve --ephemeral --lab   用来测试自己代码的服务：jingku lab

    镜像（本地服务或云端）
      jingku image list                自己的镜像，新的在前
      jingku image show|delete ID      查看一个镜像；移入回收站
      jingku image create --instance ID --name 名称 --wait
      jingku image progress ID         制作进度
      jingku image update ID           修改名称、描述、标签、说明
      jingku image export ID -o 文件   导出磁盘，raw 或 qcow2；导入用 import
      jingku run -- compshare ...      运行为云端编写的程序；另有 env

    通用选项：--json、--lang zh|en、--data-dir 目录、--help
    退出码：0 成功，1 拒绝，2 用法，3 不存在，4 密钥，5 稍后再试，6 故障
overview-check = 校验镜像完整性；另有 sweep
overview-check-damage = 曾发现损坏，运行它查看目前的情况
overview-check-ended = 校验镜像完整性；{ $day } 均完好
overview-check-percent = 校验镜像完整性；已巡检 { $percent }%，均完好
