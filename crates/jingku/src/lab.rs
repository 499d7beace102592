//! `jingku lab`: controls a server that was started with `--ephemeral --lab`.

use std::time::Duration;

use jingku_testing::Lab;
use serde_json::Value;

use crate::args::value::seconds;
use crate::args::{ClockCommand, Global, LabArgs, LabCommand};
use crate::base_url;
use crate::failure::{Exit, Failure};
use crate::messages::tr;
use crate::output::{done, print, print_json};

/// The interval at which `trace --follow` asks for more.
const FOLLOW_PAUSE: Duration = Duration::from_millis(200);

pub(crate) async fn run(global: &Global, args: LabArgs) -> Result<(), Failure> {
    let base_url = args
        .base_url
        .filter(|url| !url.trim().is_empty())
        .ok_or_else(|| Failure::new(Exit::Usage, tr!("lab-which-server")))?;
    let base_url = base_url::check(&base_url)?;
    if base_url.starts_with("https:") {
        return Err(Failure::new(Exit::Usage, tr!("lab-no-tls", base_url)));
    }
    let lab = Lab::new(&base_url)?;
    let answer = match args.command {
        LabCommand::Reset => lab.reset().await.map(|()| serde_json::json!({ "reset": true }))?,
        LabCommand::Snapshot { name } => lab.snapshot(name.as_deref()).await?,
        LabCommand::Return { name } => lab.return_to(name.as_deref()).await?,
        LabCommand::Clock(command) => return clock(global, &lab, command).await,
        LabCommand::Hold { percent: Some(percent), .. } => lab.hold(percent).await?,
        LabCommand::Hold { percent: None, .. } => lab.release().await?,
        LabCommand::Fail { action, ret_code, message, times } => {
            lab.fail(&action, ret_code, message.as_deref(), times).await?
        }
        LabCommand::Delay { action, ms, times } => lab.delay(&action, ms, times).await?,
        LabCommand::Drop { action, half, times } => lab.drop_calls(&action, half, times).await?,
        LabCommand::Clear => lab.clear_faults().await.map(|()| serde_json::json!({ "faults": [] }))?,
        LabCommand::Trace { clear: true, .. } => {
            lab.clear_trace().await.map(|()| serde_json::json!({ "entries": [] }))?
        }
        LabCommand::Trace { follow, .. } => return trace(global, &lab, follow).await,
        LabCommand::State => return print_json(&lab.state().await?),
    };
    done(global, &answer, &tr!("lab-done"))
}

async fn clock(global: &Global, lab: &Lab, command: ClockCommand) -> Result<(), Failure> {
    let answer = match command {
        ClockCommand::Set { time } => lab.set_clock(parse_time(&time)?).await?,
        ClockCommand::Advance { seconds } => lab.advance_clock(seconds).await?,
        ClockCommand::Free => lab.free_clock().await?,
    };
    let now = answer["now"].as_i64().unwrap_or_default();
    let time = jiff::Timestamp::from_second(now).map(|time| time.to_string()).unwrap_or_default();
    done(global, &answer, format!("{now} {time}").trim_end())
}

fn parse_time(text: &str) -> Result<i64, Failure> {
    let seconds = seconds(text).ok();
    let parsed = seconds.or_else(|| Some(text.parse::<jiff::Timestamp>().ok()?.as_second()));
    parsed.ok_or_else(|| Failure::new(Exit::Usage, tr!("argument-time", text = format!("{text:?}"))))
}

async fn trace(global: &Global, lab: &Lab, follow: bool) -> Result<(), Failure> {
    let mut after = 0;
    if global.json && !follow {
        return print_json(&lab.trace(after).await?);
    }
    loop {
        for entry in lab.trace(after).await? {
            after = entry["number"].as_u64().unwrap_or(after);
            // With --follow one line each, so that a program can read them as they arrive.
            if global.json { print(&entry.to_string())? } else { print(&lines(&entry))? }
        }
        if !follow {
            return Ok(());
        }
        tokio::select! {
            () = tokio::time::sleep(FOLLOW_PAUSE) => {}
            _ = tokio::signal::ctrl_c() => return Ok(()),
        }
    }
}

/// A request for people: a line, the parameters, and anything unusual.
fn lines(entry: &Value) -> String {
    let text = |name: &str| entry[name].as_str().unwrap_or("-").to_owned();
    let ret_code = entry["ret_code"].as_i64().map_or_else(|| tr!("lab-no-answer"), |code| code.to_string());
    let mut lines = vec![format!(
        "#{} {} {} RetCode {ret_code} {} ms  {}  {}",
        entry["number"],
        text("method"),
        text("action"),
        entry["ms"],
        text("content_type"),
        text("user_agent"),
    )];
    let mut add = |label: &str, value: String| {
        if !value.is_empty() {
            lines.push(format!("    {label}: {value}"));
        }
    };
    let sent = entry["decoded"].as_object().into_iter().flatten();
    let sent = sent.filter(|(name, _)| !matches!(name.as_str(), "Action" | "PublicKey"));
    let sent: Vec<_> =
        sent.map(|(name, value)| format!("{name}={}", value.as_str().unwrap_or_default())).collect();
    add(&tr!("lab-sent"), sent.join(" "));
    let list = |name: &str| {
        let items = entry[name].as_array().into_iter().flatten().filter_map(Value::as_str);
        items.collect::<Vec<_>>().join(", ")
    };
    add(&tr!("lab-unknown"), list("unknown"));
    add(&tr!("lab-refused"), entry["refused"].as_str().unwrap_or_default().to_owned());
    add(&tr!("lab-missing"), list("missing"));
    add(&tr!("lab-injected"), list("injected"));
    if entry["signature"] != "valid" {
        add(&tr!("lab-signature"), text("signature"));
    }
    lines.join("\n")
}
