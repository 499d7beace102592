//! The Chinese of errors whose English is their own `Display`.

use std::fmt::Display;

use compshare::{Class, Error as ClientError};
use jingku_library::{
    BackupError, BadListenAddress, CatalogError, Caution, DiskError, NotPrivate, OperatorError, PackedFault,
    StartError,
};

use crate::lang::tr;

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
        OperatorError::OverLimit(over) => format!(
            "该账号的用量已达限额（{}/{}）。请删除一些镜像，或用 `jingku account limit` 提高限额。",
            over.used, over.max
        ),
        OperatorError::Disk(error) => disk_error(error),
        OperatorError::Catalog(error) => format!("目录数据库出错：{}。{}", root(error), way_back(error)),
        OperatorError::MasterKey(_) => WRONG_MASTER_KEY.to_owned(),
        OperatorError::Inside(error) => format!("出错：{}。", root(error)),
        OperatorError::Start(error) => start_error(error),
    }
}

pub(crate) fn bad_listen_address(error: &BadListenAddress) -> String {
    match error {
        BadListenAddress::NoPort(text) => format!("{text:?} 缺少端口，请写成 {text}:8480。"),
        BadListenAddress::NoHost(text) => {
            format!("{text:?} 缺少地址，请写成 127.0.0.1{text}；监听全部 IPv4 地址时写成 0.0.0.0{text}。")
        }
        BadListenAddress::PortAlone(text) => {
            format!("{text:?} 缺少地址，请写成 127.0.0.1:{text}；监听全部 IPv4 地址时写成 0.0.0.0:{text}。")
        }
        BadListenAddress::BadPort(text) => {
            format!("{text:?} 不能用作端口：限 0 到 65535，0 表示任选空闲端口。")
        }
        BadListenAddress::NoBrackets(text) => {
            format!("{text:?} 中的 IPv6 地址须放在方括号内，如 [::1]:8480。")
        }
        BadListenAddress::Url(text) => format!("{text:?} 是网址。只需给出地址和端口，如 127.0.0.1:8480。"),
        BadListenAddress::BadHost(text) => format!("{text:?} 既不是主机名，也不是 IP 地址。"),
    }
}

pub(crate) fn start_error(error: &StartError) -> String {
    match error {
        StartError::Io { path, source } => format!("无法使用 {}：{}。", path.display(), clause(source)),
        StartError::InUse(path) => {
            format!("另一个 jingku 服务正在使用数据目录 {}。请先停止它，或换一个目录。", path.display())
        }
        StartError::Restoring(path) => {
            format!("{} 正在恢复备份且未完成。请再次运行 `jingku restore`。", path.display())
        }
        StartError::NotPrivate(error) => not_private(error),
        StartError::NoLibrary(path) => format!(
            "{} 中没有镜像库：缺少 catalog.db。磁盘是否已挂载，--data-dir 是否正确？没有创建任何内容。",
            path.display()
        ),
        StartError::CatalogGone(path) => format!(
            "目录数据库 {} 不见了，但它的日志还在：可能仍有服务在使用。未做任何改动。请停止该服务并把文件放回原处，或用 `jingku restore` 从备份恢复出另一个数据目录；如要重新开始，请把日志也移走。",
            path.display()
        ),
        StartError::CatalogLinked(path) => format!(
            "目录数据库 {} 是一个链接，它的日志可能在链接旁，也可能在文件旁。未做任何改动。请停止服务并把文件本身放在那里；要放到另一块磁盘上，请链接整个数据目录。",
            path.display()
        ),
        StartError::LogGone(path) => format!(
            "有服务正在使用该数据目录，而它写入的 {} 不见了。未做任何改动。请把文件放回原处，或停止该服务：它会把已知的内容写入 catalog.db。",
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
        StartError::Store(error) => format!("无法打开分块存储：{}。", clause(error)),
    }
}

fn not_private(error: &NotPrivate) -> String {
    match error {
        NotPrivate::NotOurs { path, mode } => {
            let path = path.display();
            format!(
                "其他用户可以读取 {path}（权限 {mode:o}），且它属于另一个用户。请以其所有者身份运行 `chmod 700 {path}`。"
            )
        }
        NotPrivate::Shared { path, mode } => format!(
            "其他用户可以读取 {0}（权限 {mode:o}），且它不是镜库专用的目录。请另选一个专用目录，如 {1}；如果其他用户不需要它，也可运行 `chmod 700 {0}`。",
            path.display(),
            path.join("jingku").display()
        ),
        NotPrivate::Everybodys { path, mode } => format!(
            "{} 是所有人共用的目录（权限 {mode:o}）。请另选一个专用目录，如 {}。",
            path.display(),
            path.join("jingku").display()
        ),
        NotPrivate::Io { path, source } => format!("无法使用 {}：{source}。", path.display()),
    }
}

fn way_back(error: &CatalogError) -> &'static str {
    if matches!(error, CatalogError::ReadOnly) {
        "数据目录不可写，未做任何更改。"
    } else if error.is_damage() {
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
        BackupError::AnotherLibrary { folder, found, own } => format!(
            "{} 是另一个镜像库（{found}）的备份，而当前镜像库是 {own}。未做任何更改。--data-dir 是否正确，磁盘是否已挂载？\
             如果无误，请备份到另一个目录。",
            folder.display()
        ),
        BackupError::FewImages { folder, before, now } => format!(
            "镜像库现有 {now} 个镜像，而 {} 中的上一代备份有 {before} 个：超过一半已不存在。未做任何更改。--data-dir \
             是否正确？如果镜像确已删除，请加 --force 重试。",
            folder.display()
        ),
        BackupError::NoGeneration { folder, generation } => format!(
            "{} 中没有第 {generation} 代备份。`jingku backup --list 目录` 列出已有的备份。",
            folder.display()
        ),
        BackupError::NoBackup(path) => {
            format!("{} 中没有已完成的备份。请用 `jingku backup` 备份。", path.display())
        }
        BackupError::Newer(path) => {
            format!("{} 中的备份由更新版本的镜库制作，请安装该版本。", path.display())
        }
        BackupError::DamagedFile(path) => {
            format!("{} 丢失或损坏，与备份时不一致。请使用另一代备份（`jingku backup --list`、`jingku restore --at`）或另一份备份。", path.display())
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
        BackupError::WrongMasterKey(path) => format!(
            "{} 无法解开本镜像库的密钥对：它不是正在使用的主密钥，备份它没有用处。请放回正确的主密钥，或去掉 --with-master-key 并另行保存正确的主密钥。",
            path.display()
        ),
        BackupError::Damaged(damage) => format!(
            "备份中有 {} 个镜像已损坏，没有恢复任何内容：{}\n请使用另一份备份，或用 --skip-damaged 跳过它们。",
            damage.images.len(),
            damage.lines()
        ),
        BackupError::Io { path, source } => format!("无法使用 {}：{}。", path.display(), clause(source)),
        BackupError::Catalog(error) => format!("目录数据库出错：{}。", root(error)),
        BackupError::Store(error) => format!("分块存储出错：{}。", clause(error)),
        BackupError::Start(error) => start_error(error),
        BackupError::Task(error) => format!("任务异常结束：{}。", clause(error)),
    }
}

pub(crate) fn disk_error(error: &DiskError) -> String {
    match error {
        DiskError::NotFound { path } => format!("{} 处没有文件。请检查路径。", path.display()),
        DiskError::Backing { image, source } => {
            format!("{} 引用的后备文件不可用。{}", image.display(), disk_error(source))
        }
        DiskError::Unusable { path, why } => format!("{} 不能用作磁盘：{}。", path.display(), clause(why)),
        DiskError::NotADisk { path, foreign } => {
            let advice = match foreign.command {
                Some(command) => format!("请先转换：`{command}`。"),
                None => "请检查是否选错了文件。".to_owned(),
            };
            format!(
                "{} 不是 raw 或 qcow2 磁盘：看起来是 {}。{advice}如果它确实是 raw 磁盘，请加上 `--format raw`。",
                path.display(),
                kind(foreign.name)
            )
        }
        DiskError::Packed { path, fault } => {
            format!("无法解压 {}：{}。", path.display(), packed_fault(fault))
        }
        DiskError::Damaged { path, why } => {
            format!("qcow2 镜像 {} 已损坏：{}。可用 `qemu-img check` 检查。", path.display(), clause(why))
        }
        DiskError::Redeclare { path, why } => {
            format!("{} 与登记实例时不同：{}。请重新登记该实例。", path.display(), clause(why))
        }
        DiskError::InUse { path } => format!("{} 正被运行中的虚拟机使用。请先停止虚拟机。", path.display()),
        DiskError::Stopped { path } => format!("打开 {} 时被中止。请重试。", path.display()),
        DiskError::Changed { path } => format!("读取期间 {} 发生了变化。请停止写入后重试。", path.display()),
        DiskError::Converter { path, feature, why } => {
            format!("{} 使用了 {feature}，需要 qemu-img 读取，但是：{}。", path.display(), clause(why))
        }
        DiskError::Io { path, source, .. } => format!("无法读取 {}：{}。", path.display(), clause(source)),
    }
}

fn packed_fault(fault: &PackedFault) -> String {
    match fault {
        PackedFault::EndsEarly(packing) => {
            format!("文件不完整，{} 内容中途结束。请与原文件比较大小后重新复制", packing.name())
        }
        PackedFault::Followed(packing, at) => {
            format!("{} 内容之后的第 {at} 字节处还有其他数据", packing.name())
        }
        PackedFault::Damaged(packing, why) => format!("{} 内容已损坏（{why}）", packing.name()),
        PackedFault::NeedsDictionary(id) => format!("zstd 内容需要字典（{id}），而文件中没有"),
        PackedFault::NeedsMemory(bytes) => format!("zstd 窗口需要 {} MB，超出上限", bytes >> 20),
        PackedFault::Empty => "其中没有内容".to_owned(),
        PackedFault::TooLarge(bytes) => format!("解压后超过 {} GB", bytes >> 30),
    }
}

/// What is to be said about a disk although it is accepted.
pub(crate) fn caution(caution: &Caution) -> String {
    let chinese = match caution {
        Caution::NoStructure => "磁盘中没有分区表、文件系统或其他已知的磁盘结构，可能无法启动或挂载。请确认没有选错文件，\
             也不是加密或以无法识别的方式打包的文件。如果它确实是 raw 磁盘，加上 `--format raw` 即可不再提示。"
            .to_owned(),
        Caution::Holds(name) => format!(
            "qcow2 文件中的磁盘没有分区表或文件系统，看起来是 {}，可能无法启动或挂载。请确认没有选错文件。",
            kind(name)
        ),
    };
    tr(caution.to_string(), chinese)
}

/// The Chinese for a kind of file; the names of formats stay as they are.
fn kind(name: &str) -> String {
    let common = [
        ("a tar archive", "tar 归档"),
        ("a zip archive", "zip 压缩包"),
        ("a 7z archive", "7z 压缩包"),
        ("a rar archive", "rar 压缩包"),
        ("a cpio archive", "cpio 归档"),
        ("an OVA archive", "OVA 归档"),
        ("an HTML page", "HTML 网页"),
        ("an XML document", "XML 文档"),
        ("a JSON document", "JSON 文档"),
        ("plain text", "纯文本"),
        ("a script", "脚本"),
    ];
    let known = common.iter().find(|(english, _)| *english == name).map(|(_, chinese)| (*chinese).to_owned());
    let bare = || name.trim_start_matches("an ").trim_start_matches("a ").to_owned();
    known.unwrap_or_else(bare)
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
            format!("请求被拒绝：{}（RetCode {code}{id}）。{advice}。", clause(message))
        }
        ClientError::Config(why) => format!("客户端配置有误：{}。", clause(why)),
        ClientError::Connect { source, .. } => format!("无法连接服务：{}。", root(source.as_ref())),
        ClientError::Transport { source, .. } => format!("连接中断：{}。", root(source.as_ref())),
        ClientError::Timeout { after, .. } => format!("{} 秒内没有应答。", after.as_secs()),
        ClientError::Http { status, .. } => format!("收到 HTTP 状态 {status}，对方可能不是此 API。"),
        ClientError::Undecodable { reason, .. } => format!("无法理解应答：{}。", clause(reason)),
        ClientError::CannotExport { .. } => "此服务不能导出镜像数据：导出是镜库的扩展功能。".to_owned(),
        ClientError::CannotImport { .. } => "此服务不能接收磁盘文件：导入是镜库的扩展功能。".to_owned(),
        ClientError::CannotFilter => "此服务不能筛选或排序镜像列表：这是镜库的扩展功能。".to_owned(),
        ClientError::ImageFailed { image_id, reason } if reason.is_empty() => {
            format!("镜像 {image_id} 制作失败，服务没有给出原因。")
        }
        ClientError::ImageFailed { image_id, reason } => {
            format!("镜像 {image_id} 制作失败：{}。", clause(reason))
        }
        ClientError::ImageGone { image_id } => format!("镜像 {image_id} 不存在或已删除。"),
        ClientError::StillMaking { image_id, after } => {
            format!("{} 秒后镜像 {image_id} 仍在制作中，可以继续等待。", after.as_secs())
        }
        other => other.to_string(),
    }
}

/// A sentence for the middle of another: what it is put into ends in a full stop.
pub(crate) fn clause(error: &(impl Display + ?Sized)) -> String {
    let mut text = error.to_string();
    text.truncate(text.trim_end().trim_end_matches(['.', '。']).len());
    text
}

/// The end of a chain of causes, which alone says what happened.
pub(crate) fn root(error: &(dyn std::error::Error + 'static)) -> String {
    let last = std::iter::successors(Some(error), |error| error.source()).last();
    clause(last.unwrap_or(error))
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::path::{Path, PathBuf};

    use super::*;

    /// One full stop at the end, in Chinese and in the English of the error itself.
    fn one_stop(error: &dyn std::error::Error, chinese: &str) {
        let english = error.to_string();
        for text in [english.as_str(), chinese] {
            let doubled = ["..", "。。", ".。", "。.", ". ."].into_iter().any(|stops| text.contains(stops));
            assert!(!doubled, "{text}");
        }
        assert!(english.trim_end().ends_with('.'), "{english}");
    }

    #[test]
    fn disks() {
        let path = || PathBuf::from("/disk");
        let why = || "it says why. ".to_owned();
        let backing = DiskError::Damaged { path: path(), why: why() };
        for error in [
            DiskError::NotFound { path: path() },
            DiskError::Unusable { path: path(), why: why() },
            DiskError::Backing { image: path(), source: Box::new(backing) },
            DiskError::Redeclare { path: path(), why: why() },
            DiskError::InUse { path: path() },
            DiskError::Changed { path: path() },
            DiskError::Converter { path: path(), feature: "zstd", why: why() },
            DiskError::Io { action: "read", path: path(), source: io::Error::other("it says why.") },
        ] {
            one_stop(&error, &disk_error(&error));
            let error = OperatorError::Disk(error);
            one_stop(&error, &operator_error(&error));
        }
    }

    #[test]
    fn starts_and_backups() {
        let path = || PathBuf::from("/data");
        let io = || io::Error::other("it says why.");
        for error in [
            StartError::Io { path: path(), source: io() },
            StartError::InUse(path()),
            StartError::Restoring(path()),
            StartError::CatalogLost(path()),
            StartError::MasterKey("JINGKU_MASTER_KEY".to_owned()),
        ] {
            one_stop(&error, &start_error(&error));
            let error = OperatorError::Start(error);
            one_stop(&error, &operator_error(&error));
        }
        for error in [
            BackupError::NotABackup(path()),
            BackupError::Inside(path()),
            BackupError::NoBackup(path()),
            BackupError::Newer(path()),
            BackupError::DamagedFile(path()),
            BackupError::InUse(path()),
            BackupError::NotEmpty(path()),
            BackupError::NoMasterKey,
            BackupError::WrongMasterKey(path()),
            BackupError::Io { path: path(), source: io() },
        ] {
            one_stop(&error, &backup_error(&error));
        }
    }

    #[test]
    fn refusals_of_the_api() {
        let action = compshare::actions::Action::GetRegion;
        let text = || "A sentence of the server. ".to_owned();
        let cause = || -> compshare::Cause { "It broke.".into() };
        let after = std::time::Duration::from_secs(1);
        let image_id = || "compshareImage-1".to_owned();
        for error in [
            ClientError::Config(text()),
            ClientError::Connect { action, source: cause() },
            ClientError::Transport { action, source: cause() },
            ClientError::Timeout { action, after },
            ClientError::Http { action, status: 500, excerpt: text(), request_id: None },
            ClientError::Undecodable { action, reason: text(), excerpt: text(), request_id: None },
            ClientError::Api { action, code: 230, message: text(), name_refusal: None, request_id: None },
            ClientError::CannotExport { request_id: None },
            ClientError::CannotImport { request_id: None },
            ClientError::CannotFilter,
            ClientError::ImageFailed { image_id: image_id(), reason: text() },
            ClientError::ImageFailed { image_id: image_id(), reason: String::new() },
            ClientError::ImageGone { image_id: image_id() },
            ClientError::StillMaking { image_id: image_id(), after },
        ] {
            one_stop(&error, &client_error(&error));
        }
    }

    #[test]
    fn files() {
        let failure = crate::failure::Failure::file(
            crate::failure::Exit::Fault,
            Path::new("/file"),
            &io::Error::other("it says why."),
        );
        assert!(!format!("{failure:?}").contains(".."), "{failure:?}");
    }
}
