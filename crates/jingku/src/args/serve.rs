//! The command line of `jingku serve`.

use std::path::PathBuf;

use clap::Args;

use super::any_path;
use crate::lang::tr;

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct ServeArgs {
    #[arg(long, env = "JINGKU_CONFIG", hide_env_values = true, value_name = "FILE", value_parser = any_path(), help = tr("Configuration file (TOML)", "配置文件（TOML）"))]
    pub(crate) config: Option<PathBuf>,
    #[arg(long, env = "JINGKU_LISTEN", hide_env_values = true, value_name = "HOST:PORT", help = tr("Where to listen; port 0 takes a free one [default: 127.0.0.1:8480]", "监听地址；端口 0 表示任选空闲端口 [默认：127.0.0.1:8480]"))]
    pub(crate) listen: Option<String>,
    #[arg(long, help = tr("Add two small disks as instances and make an image of one", "添加两块小磁盘作为实例，并制作一个镜像"))]
    pub(crate) demo: bool,
    #[arg(long, conflicts_with = "demo", help = tr("Keep everything in memory; nothing is left when it ends", "一切只在内存中，结束后不留任何数据"))]
    pub(crate) ephemeral: bool,
    #[arg(long, requires = "ephemeral", value_name = "FILE", help = tr("Accounts, instances and images to begin with (TOML or JSON)", "初始的账号、实例与镜像（TOML 或 JSON）"))]
    pub(crate) fixtures: Option<PathBuf>,
    #[arg(long, requires = "ephemeral", help = tr("Let `jingku lab` reset, hold, break and watch it; loopback only", "允许 `jingku lab` 重置、暂停、注入故障和查看请求；仅限本机地址"))]
    pub(crate) lab: bool,
    #[arg(long, help = tr("Stop when the process that started it ends, or closes the pipe on standard input", "启动它的进程结束或关闭标准输入管道时停止"))]
    pub(crate) exit_with_parent: bool,
}
