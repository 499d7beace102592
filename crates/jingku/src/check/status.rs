//! How far the server is with reading every byte in the background, and when it swept.

use jingku_library::{DataDir, Scrub};
use serde_json::json;

use crate::args::Global;
use crate::connection::data_dir;
use crate::failure::Failure;
use crate::lang::tr;
use crate::operate::open_folder;
use crate::output::{bytes, date, print, print_fields, print_json, time};

pub(super) fn run(global: &Global) -> Result<(), Failure> {
    let data = open_folder(global)?;
    let (scrub, sweep) = (data.scrub_status()?, data.last_sweep());
    if global.json {
        let scrub = scrub.map(|scrub| {
            json!({ "StartedAt": scrub.started_at, "EndedAt": scrub.ended_at, "Percent": scrub.percent(),
                    "PreviousEndedAt": scrub.previous_ended_at, "Chunks": scrub.chunks, "Bytes": scrub.bytes,
                    "BytesPerSecond": scrub.rate, "DamagedObjects": scrub.damaged_objects,
                    "DamagedImages": scrub.damaged_images })
        });
        let sweep = sweep
            .map(|sweep| json!({ "EndedAt": sweep.ended_at, "Files": sweep.files, "Bytes": sweep.bytes }));
        return print_json(&json!({ "Scrub": scrub, "Sweep": sweep }));
    }
    let mut fields = Vec::new();
    match &scrub {
        None => fields.push((
            tr("scrub", "巡检"),
            tr("not begun: a server does it", "尚未开始，由服务进行").to_owned(),
        )),
        Some(scrub) => fields.extend(scrub_fields(scrub)),
    }
    if let Some(sweep) = sweep {
        let (when, files, size) = (time(sweep.ended_at), sweep.files, bytes(sweep.bytes));
        let text = tr(
            format!("{when}, {files} files of {size} removed"),
            format!("{when}，删除 {files} 个文件，共 {size}"),
        );
        fields.push((tr("last sweep", "上次清理"), text));
    }
    print_fields(fields.into_iter())?;
    match scrub {
        Some(scrub) if scrub.has_found_damage() => {
            print(tr("`jingku check` names what is damaged now.", "`jingku check` 列出目前损坏的内容。"))
        }
        _ => Ok(()),
    }
}

fn scrub_fields(scrub: &Scrub) -> Vec<(&'static str, String)> {
    let (begun, percent) = (time(scrub.started_at), scrub.percent());
    let state = if let Some(ended) = scrub.ended_at {
        let ended = time(ended);
        tr(format!("everything read, from {begun} to {ended}"), format!("已全部读取，{begun} 至 {ended}"))
    } else {
        let rate = bytes(scrub.rate);
        tr(
            format!("{percent}% read since {begun}, at up to {rate} a second"),
            format!("自 {begun} 已读取 {percent}%，每秒不超过 {rate}"),
        )
    };
    let (chunks, size) = (scrub.chunks, bytes(scrub.bytes));
    let (objects, images) = (scrub.damaged_objects, scrub.damaged_images.join(" "));
    let damage = if scrub.has_found_damage() {
        tr(format!("{objects} objects; images {images}"), format!("{objects} 个对象；镜像 {images}"))
    } else {
        tr("none", "无").to_owned()
    };
    vec![
        (tr("scrub", "巡检"), state),
        (tr("read", "已读取"), tr(format!("{chunks} chunks, {size}"), format!("{chunks} 个分块，{size}"))),
        (tr("damage found", "发现损坏"), damage),
        (tr("last one ended", "上次完成"), time(scrub.previous_ended_at.unwrap_or(0))),
    ]
}

/// The same in a few words, for whoever asks for nothing in particular.
pub(crate) fn summary(global: &Global) -> String {
    // Nothing is created for it, and nothing that fails is worth a word here.
    let folder = data_dir(global).ok().filter(|path| path.is_dir());
    let scrub = folder.and_then(|path| DataDir::open(&path).ok()?.scrub());
    match scrub {
        None => tr("is every image whole? see also: sweep", "检查镜像是否完好；另有 sweep").to_owned(),
        Some(scrub) if scrub.has_found_damage() => tr(
            "DAMAGE WAS FOUND: it names what is damaged now".to_owned(),
            "曾发现损坏，运行它查看目前的情况".to_owned(),
        ),
        Some(Scrub { ended_at: Some(ended), .. }) => {
            let day = date(ended);
            tr(format!("is every image whole? {day}: all was"), format!("检查镜像是否完好；{day} 均完好"))
        }
        Some(scrub) => {
            let percent = scrub.percent();
            tr(
                format!("is every image whole? {percent}% read, all are"),
                format!("检查镜像是否完好；已巡检 {percent}%，均完好"),
            )
        }
    }
}
