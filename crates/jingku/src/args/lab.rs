//! The command line of `jingku lab`.

use clap::{Args, Subcommand};

use crate::lang::tr;

#[derive(Debug, Args)]
pub(crate) struct LabArgs {
    #[arg(long, global = true, env = "JINGKU_BASE_URL", hide_env_values = true, value_name = "URL", help = tr("The server, started with --ephemeral --lab", "以 --ephemeral --lab 启动的服务地址"))]
    pub(crate) base_url: Option<String>,
    #[command(subcommand)]
    pub(crate) command: LabCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LabCommand {
    #[command(about = tr("Put everything back to what it was after the start", "一切恢复到刚启动时的状态"))]
    Reset,
    #[command(about = tr("Keep the catalogue as it is now", "保存当前目录状态"))]
    Snapshot {
        #[arg(help = tr("What to call it [default: default]", "快照名 [默认：default]"))]
        name: Option<String>,
    },
    #[command(about = tr("Make the catalogue what it was at a snapshot", "恢复到某个快照"))]
    Return {
        #[arg(help = tr("Its name [default: default]", "快照名 [默认：default]"))]
        name: Option<String>,
    },
    #[command(subcommand, about = tr("Stop and move the server's clock", "停止或拨动服务的时钟"))]
    Clock(ClockCommand),
    #[command(about = tr("Hold images in the making at some percent, or let them go", "让制作中的镜像停在某个百分比，或放行"))]
    Hold {
        #[arg(value_parser = clap::value_parser!(u8).range(0..=100), required_unless_present = "release", help = tr("Where to hold them, 0 to 100", "停在百分之几，0 到 100"))]
        percent: Option<u8>,
        #[arg(long, conflicts_with = "percent", help = tr("Let them go", "放行"))]
        release: bool,
    },
    #[command(about = tr("Answer the next calls of an action with an error", "让某个操作接下来的调用返回错误"))]
    Fail {
        #[arg(help = tr("Its name, or * for every action", "操作名，* 表示全部"))]
        action: String,
        #[arg(long, value_name = "N", allow_negative_numbers = true, help = tr("The code, anything but 0", "返回码，不能为 0"))]
        ret_code: i64,
        #[arg(long, value_name = "TEXT", help = tr("The text", "错误信息"))]
        message: Option<String>,
        #[arg(long, value_name = "K", default_value_t = 1, hide_default_value = true, help = tr("How many calls [default: 1]", "调用次数 [默认：1]"))]
        times: u32,
    },
    #[command(about = tr("Delay the next calls of an action", "让某个操作接下来的调用延迟"))]
    Delay {
        #[arg(help = tr("Its name, or * for every action", "操作名，* 表示全部"))]
        action: String,
        #[arg(long, value_name = "N", help = tr("For how long, in milliseconds", "毫秒数"))]
        ms: u64,
        #[arg(long, value_name = "K", default_value_t = 1, hide_default_value = true, help = tr("How many calls [default: 1]", "调用次数 [默认：1]"))]
        times: u32,
    },
    #[command(about = tr("Close the connection of the next calls of an action", "让某个操作接下来的调用断开连接"))]
    Drop {
        #[arg(help = tr("Its name, or * for every action", "操作名，* 表示全部"))]
        action: String,
        #[arg(long, help = tr("After half of the answer, instead of before the call is carried out", "发送一半应答后断开，而不是执行前断开"))]
        half: bool,
        #[arg(long, value_name = "K", default_value_t = 1, hide_default_value = true, help = tr("How many calls [default: 1]", "调用次数 [默认：1]"))]
        times: u32,
    },
    #[command(about = tr("Forget the faults that wait", "清除等待中的故障"))]
    Clear,
    #[command(about = tr("Show what clients sent", "查看客户端发来的请求"))]
    Trace {
        #[arg(long, help = tr("Go on with what comes", "持续显示新请求"))]
        follow: bool,
        #[arg(long, conflicts_with = "follow", help = tr("Forget it instead", "改为清空"))]
        clear: bool,
    },
    #[command(about = tr("Show clock, hold, faults and snapshots", "查看时钟、暂停、故障与快照"))]
    State,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ClockCommand {
    #[command(about = tr("Stop it at a time", "停在某个时刻"))]
    Set {
        #[arg(value_name = "TIME", allow_negative_numbers = true, help = tr("Unix seconds, or as 2026-11-24T08:00:00Z", "Unix 秒，或如 2026-11-24T08:00:00Z"))]
        time: String,
    },
    #[command(about = tr("Move it, whether it stands or not", "拨动，无论是否停止"))]
    Advance {
        #[arg(value_name = "SECONDS", value_parser = crate::lab::seconds, allow_negative_numbers = true, help = tr("Forward, or back when negative", "向前的秒数，负数表示向后"))]
        seconds: i64,
    },
    #[command(about = tr("The machine's clock again", "恢复为本机时钟"))]
    Free,
}
