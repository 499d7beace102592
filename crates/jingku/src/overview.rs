//! What a bare `jingku` prints: one screen, grouped by task.

use crate::args::Global;
use crate::check::summary;
use crate::lang::tr;

const EN: &str = "\
Jingku - a self-hosted library of custom images for GPU machines

Try it
  jingku serve --demo              a server with two small disks and one image

Serve
  jingku serve                     run the server on 127.0.0.1:8480
  jingku instance add|list|remove  declare the VM disks that images are made of
  jingku account|key create|list   tenants, and the key pairs they sign with
  jingku backup|restore DIR        keep everything twice; see also: trash, usage
  jingku check                     {check}
  jingku serve --ephemeral --lab   a server to test your code on: jingku lab

Images, here or in the cloud
  jingku image list                the account's own images, newest first
  jingku image show|delete ID      one image with its readme; to the trash
  jingku image create --instance ID --name NAME --wait
  jingku image progress ID         how far it is
  jingku image update ID           name, description, tags, readme
  jingku image export ID -o FILE   its disk, raw or qcow2; in again: import
  jingku run -- compshare ...      a program made for the cloud; see also: env

Everywhere: --json, --lang zh|en, --data-dir DIR, --help
Exit codes: 0 done, 1 refused, 2 usage, 3 not there, 4 keys, 5 later, 6 fault
";

const ZH: &str = "\
镜库 - 自建的 GPU 自制镜像库

试一试
  jingku serve --demo              启动服务，自带两块小磁盘和一个镜像

服务
  jingku serve                     在 127.0.0.1:8480 运行服务
  jingku instance add|list|remove  登记用来制作镜像的虚拟机磁盘
  jingku account|key create|list   每个租户一个账号，及请求签名所用的密钥对
  jingku backup|restore 目录       备份与恢复数据目录；另有 trash、usage
  jingku check                     {check}
  jingku serve --ephemeral --lab   用来测试自己代码的服务：jingku lab

镜像（本地服务或云端）
  jingku image list                账号的自制镜像，新的在前
  jingku image show|delete ID      查看一个镜像及其说明；移入回收站
  jingku image create --instance ID --name 名称 --wait
  jingku image progress ID         制作进度
  jingku image update ID           修改名称、描述、标签、说明
  jingku image export ID -o 文件   导出磁盘，raw 或 qcow2；导入用 import
  jingku run -- compshare ...      云端程序不改动，转到本地；另有 env

通用选项：--json、--lang zh|en、--data-dir 目录、--help
退出码：0 成功，1 拒绝，2 用法，3 不存在，4 密钥，5 稍后再试，6 故障
";

/// The screen, with how far the server of the data folder is with reading everything.
pub(crate) fn text(global: &Global) -> String {
    tr(EN, ZH).replace("{check}", &summary(global))
}
