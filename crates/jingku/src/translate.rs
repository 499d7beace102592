//! The Chinese of errors whose English is their own `Display`.

use compshare::{Class, Error as ClientError};
use jingku_service::{BackupError, CatalogError, DiskError, OperatorError, StartError};

const WRONG_MASTER_KEY: &str = "无法解密私钥：主密钥不是当初加密所用的那一把。请恢复原来的主密钥（数据目录中的 master.key，或环境变量 JINGKU_MASTER_KEY）。";

pub(crate) fn operator_error(error: &OperatorError) -> String {
    match error {
        OperatorError::AccountExists(name) => format!("账号名 {name:?} 已存在，请换一个名字。"),
        OperatorError::NoAccount(id) => format!("没有账号 {id}。可用 `jingku account create 名字` 新建。"),
        OperatorError::NoKey(key) => format!("没有未吊销的密钥 {key:?}。`jingku key list` 列出全部密钥。"),
        OperatorError::KeyExists(key) => format!("公钥 {key:?} 已存在，且私钥或账号不同，请换一个。"),
        OperatorError::BadRange(text) => format!(
            "{text:?} 不是地址范围。请写成 10.0.0.0/8、fd00::/8 或 192.0.2.7 的形式，且地址必须是该范围的第一个。"
        ),
        OperatorError::TooManyRanges { given, max } => {
            format!("一把密钥最多限制到 {max} 个地址范围，给出了 {given} 个。请合并一些。")
        }
        OperatorError::BadInstanceId(id) => {
            format!("{id:?} 不能用作实例 ID：限 1 到 64 个字符，可用 a-z A-Z 0-9 - _ .")
        }
        OperatorError::InstanceExists(id) => {
            format!("实例 {id:?} 已存在。请先用 `jingku instance remove {id}` 移除。")
        }
        OperatorError::NoInstance(id) => format!("没有实例 {id:?}。`jingku instance list` 列出全部实例。"),
        OperatorError::InstanceBusy(id) => {
            format!("正在用实例 {id:?} 制作镜像。请等待完成，或先删除该镜像。")
        }
        OperatorError::NotReviewing(id) => {
            format!("没有待审核的镜像 {id:?}。`jingku review list` 列出全部待审核镜像。")
        }
        OperatorError::BadReason(most) => format!("原因限 1 到 {most} 个字符，请说明要改什么。"),
        OperatorError::NoGroup(id) => format!("社区中没有镜像组 {id:?}。"),
        OperatorError::NoZone { given, known } => format!("没有可用区 {given:?}。已知可用区：{known}。"),
        OperatorError::NoImageToStart(id, account) => {
            format!("账号 {account} 看不到可用来启动实例的镜像 {id:?}。")
        }
        OperatorError::NothingToStart(id) => {
            format!("镜像 {id:?} 正在制作或制作失败，不可能有实例由它启动。")
        }
        OperatorError::NoImage(id) => format!("没有镜像 {id:?}。`jingku image list` 列出账号的自制镜像。"),
        OperatorError::ImageNotWhole(id) => {
            format!("镜像 {id:?} 正在制作、正在审核或制作失败。只有 Available 或 Offline 状态的镜像可用。")
        }
        OperatorError::BadImageName(name) => {
            format!("{name:?} 不能用作镜像名称：限 1 到 50 个汉字、字母、数字或 _ , . : -")
        }
        OperatorError::PlatformNameTaken(id) => {
            format!("镜像 {id:?} 的名称已被另一个平台镜像占用。请用 --name 换一个名称。")
        }
        OperatorError::NoPlatformImage(id) => format!("没有平台镜像 {id:?}，可能已被移除。"),
        OperatorError::NotInTrash(id) => {
            format!("回收站中没有镜像 {id:?}。`jingku trash list` 列出回收站中的镜像。")
        }
        OperatorError::TrashNameTaken { id, name } => format!(
            "该账号已有另一个镜像名为 {name:?}。请换一个名称恢复：`jingku trash restore {id} --name 名称`。"
        ),
        OperatorError::NeverMade(id) => {
            format!("镜像 {id:?} 删除时还在制作，制作已随之终止，没有可恢复的数据。请重新制作。")
        }
        OperatorError::Disk(error) => disk_error(error),
        OperatorError::Catalog(error) => format!("目录数据库出错：{}。{}", root(error), way_back(error)),
        OperatorError::MasterKey(_) => WRONG_MASTER_KEY.to_owned(),
        OperatorError::Inside(error) => format!("出错：{}。", root(error)),
        OperatorError::Start(error) => start_error(error),
    }
}

pub(crate) fn start_error(error: &StartError) -> String {
    match error {
        StartError::Io { path, source } => format!("无法使用 {}：{source}。", path.display()),
        StartError::InUse(path) => {
            format!("另一个 jingku 服务正在使用数据目录 {}。请先停止它，或换一个目录。", path.display())
        }
        StartError::Restoring(path) => {
            format!("{} 正在恢复备份且未完成。请再次运行 `jingku restore`。", path.display())
        }
        StartError::CatalogGone(path) => format!(
            "目录数据库 {} 不见了，但它的日志还在：可能仍有服务在使用。未做任何改动。请停止该服务并把文件放回原处；如要重新开始，请把日志也移走。",
            path.display()
        ),
        StartError::CatalogLost(path) => format!(
            "目录数据库 {} 丢失或为空，而存储中还有它记录的镜像。未做任何更改。请把该文件放回原处，或用 `jingku restore` \
             从备份恢复出另一个数据目录；要重新开始，请移走目录 `store`。",
            path.display()
        ),
        StartError::MasterKey(place) => format!("主密钥 {place} 有误：必须是 64 位十六进制数字。"),
        StartError::WrongMasterKey(_) => WRONG_MASTER_KEY.to_owned(),
        StartError::Catalog(error) => format!("无法打开目录数据库：{}。{}", root(error), way_back(error)),
        StartError::Store(error) => format!("无法打开分块存储：{error}。"),
    }
}

fn way_back(error: &CatalogError) -> &'static str {
    if error.is_damage() {
        "请停止服务，保留该目录原样，并用 `jingku restore` 把备份恢复到另一个目录。"
    } else {
        ""
    }
}

pub(crate) fn backup_error(error: &BackupError) -> String {
    match error {
        BackupError::NotABackup(path) => {
            format!("{} 不是空目录，也不是镜库的备份。请换一个目录。", path.display())
        }
        BackupError::Inside(path) => {
            format!("{} 位于数据目录之内，会随之一同损坏。请换一个目录。", path.display())
        }
        BackupError::NoBackup(path) => {
            format!("{} 中没有已完成的备份。请用 `jingku backup` 备份。", path.display())
        }
        BackupError::Newer(path) => {
            format!("{} 中的备份由更新版本的镜库制作，请安装该版本。", path.display())
        }
        BackupError::DamagedFile(path) => {
            format!("{} 丢失或损坏，与备份时不一致。请使用另一份备份。", path.display())
        }
        BackupError::InUse(path) => {
            format!("另一个 jingku 命令正在使用 {}，请等待其完成。", path.display())
        }
        BackupError::NotEmpty(path) => {
            format!("{} 不是空目录。备份只能恢复到新目录或空目录，请用 --data-dir 另选。", path.display())
        }
        BackupError::NoMasterKey => {
            "数据目录中没有 master.key：主密钥来自 JINGKU_MASTER_KEY。请另行保存该密钥，并去掉 --with-master-key。"
                .to_owned()
        }
        BackupError::Damaged(damage) => format!(
            "备份中有 {} 个镜像已损坏，没有恢复任何内容：{}\n请使用另一份备份，或用 --skip-damaged 跳过它们。",
            damage.images.len(),
            damage.lines()
        ),
        BackupError::Io { path, source } => format!("无法使用 {}：{source}。", path.display()),
        BackupError::Catalog(error) => format!("目录数据库出错：{}。", root(error)),
        BackupError::Store(error) => format!("分块存储出错：{error}。"),
        BackupError::Start(error) => start_error(error),
        BackupError::Task(error) => format!("任务异常结束：{error}。"),
    }
}

pub(crate) fn disk_error(error: &DiskError) -> String {
    match error {
        DiskError::NotFound { path } => format!("{} 处没有文件。请检查路径。", path.display()),
        DiskError::Unusable { path, why } => format!("{} 不能用作磁盘：{why}。", path.display()),
        DiskError::Damaged { path, why } => {
            format!("qcow2 镜像 {} 已损坏：{why}。可用 `qemu-img check` 检查。", path.display())
        }
        DiskError::Redeclare { path, why } => {
            format!("{} 与登记实例时不同：{why}。请重新登记该实例。", path.display())
        }
        DiskError::InUse { path } => format!("{} 正被运行中的虚拟机使用。请先停止虚拟机。", path.display()),
        DiskError::Changed { path } => format!("读取期间 {} 发生了变化。请停止写入后重试。", path.display()),
        DiskError::Converter { path, feature, why } => {
            format!("{} 使用了 {feature}，需要 qemu-img 读取，但是：{why}。", path.display())
        }
        DiskError::Io { path, source, .. } => format!("无法读取 {}：{source}。", path.display()),
    }
}

pub(crate) fn client_error(error: &ClientError) -> String {
    match error {
        ClientError::Api { code, message, request_id, .. } => {
            let advice = match error.class() {
                Class::FixRequest => "请修改请求参数",
                Class::FixCredentials => "请检查密钥对及其权限",
                Class::LookAgain => "请先查看相关资源的当前状态",
                Class::AskAgainLater => "请稍后再试",
                Class::ServiceFault => "服务端出错，请查看服务端日志",
            };
            let id = request_id.as_deref().map(|id| format!("，请求 ID {id}")).unwrap_or_default();
            format!("请求被拒绝：{message}（RetCode {code}{id}）。{advice}。")
        }
        ClientError::Config(why) => format!("客户端配置有误：{why}。"),
        ClientError::Connect { source, .. } => format!("无法连接服务：{}。", root(source.as_ref())),
        ClientError::Transport { source, .. } => format!("连接中断：{}。", root(source.as_ref())),
        ClientError::Timeout { after, .. } => format!("{} 秒内没有应答。", after.as_secs()),
        ClientError::Http { status, .. } => format!("收到 HTTP 状态 {status}，对方可能不是此 API。"),
        ClientError::Undecodable { reason, .. } => format!("无法理解应答：{reason}。"),
        ClientError::CannotExport { .. } => "此服务不能导出镜像数据：导出是镜库的扩展功能。".to_owned(),
        ClientError::CannotImport { .. } => "此服务不能接收磁盘文件：导入是镜库的扩展功能。".to_owned(),
        ClientError::CannotFilter => "此服务不能筛选或排序镜像列表：这是镜库的扩展功能。".to_owned(),
        ClientError::ImageFailed { image_id, reason } => format!("镜像 {image_id} 制作失败：{reason}"),
        ClientError::ImageGone { image_id } => format!("镜像 {image_id} 不存在或已删除。"),
        ClientError::StillMaking { image_id, after } => {
            format!("{} 秒后镜像 {image_id} 仍在制作中，可以继续等待。", after.as_secs())
        }
        other => other.to_string(),
    }
}

/// The end of a chain of causes, which alone says what happened.
pub(crate) fn root(error: &(dyn std::error::Error + 'static)) -> String {
    let last = std::iter::successors(Some(error), |error| error.source()).last();
    last.unwrap_or(error).to_string()
}
