//! Following the making of an image: a bar on a terminal, silence elsewhere.

use compshare::actions::{GetCompShareImageCreateProgressRequest, GetCompShareImageCreateProgressResponse};
use compshare::{Client, WaitOptions};
use indicatif::{ProgressBar, ProgressStyle};

use crate::args::{Global, OneImage};
use crate::connection;
use crate::failure::{Exit, Failure};
use crate::lang::tr;
use crate::output::{print, print_json};

/// `jingku image progress`.
pub(super) async fn progress(global: &Global, args: OneImage, wait: bool) -> Result<(), Failure> {
    let client = connection::client(global, args.connection)?;
    if wait {
        return until_made(global, &client, &args.image_id).await;
    }
    let request = GetCompShareImageCreateProgressRequest {
        image_id: args.image_id,
        ..GetCompShareImageCreateProgressRequest::default()
    };
    let progress = client.get_comp_share_image_create_progress(&request).await?;
    if global.json { print_json(&progress) } else { print(&line(&progress)) }
}

fn line(progress: &GetCompShareImageCreateProgressResponse) -> String {
    let percent = progress.process;
    if !progress.failed_reason.is_empty() {
        return tr(
            format!("Failed: {}", progress.failed_reason),
            format!("失败：{}", progress.failed_reason),
        );
    }
    let remaining = &progress.remaining_duration;
    tr(
        format!("{} {percent}%, {remaining} s left", progress.status),
        format!("{} {percent}%，剩余 {remaining} 秒", progress.status),
    )
}

/// Waits until the image is there. Ctrl-C stops the waiting, not the making.
pub(super) async fn until_made(global: &Global, client: &Client, image_id: &str) -> Result<(), Failure> {
    let bar = bar();
    let options = WaitOptions { longest_pause: std::time::Duration::from_secs(1), ..WaitOptions::default() };
    let waiting = client.wait_until_available(image_id, &options, |progress| show(&bar, progress));
    let outcome = tokio::select! {
        outcome = waiting => outcome,
        _ = tokio::signal::ctrl_c() => {
            bar.abandon();
            return Err(detached(image_id));
        }
    };
    bar.finish_and_clear();
    let image = outcome?;
    if global.json {
        return print_json(&image);
    }
    print(&tr(
        format!("{image_id} is available: {} ({} MB)", image.name, image.size),
        format!("{image_id} 已可用：{}（{} MB）", image.name, image.size),
    ))
}

fn detached(image_id: &str) -> Failure {
    let message = tr(
        format!(
            "Stopped waiting; the image goes on being made. Come back with: jingku image progress {image_id} --wait"
        ),
        format!("已停止等待，镜像仍在制作。继续查看：jingku image progress {image_id} --wait"),
    );
    Failure::new(Exit::Detached, message)
}

/// Percent, MB/s and seconds left. indicatif draws it on standard error, and only on a terminal.
fn bar() -> ProgressBar {
    let template = tr(
        "{bar:32} {percent:>3}%  {decimal_bytes_per_sec}  {eta_precise} left",
        "{bar:32} {percent:>3}%  {decimal_bytes_per_sec}  剩余 {eta_precise}",
    );
    ProgressBar::new(0).with_style(ProgressStyle::with_template(template).expect("the template is right"))
}

fn show(bar: &ProgressBar, progress: &GetCompShareImageCreateProgressResponse) {
    if progress.total_bytes > 0 {
        bar.set_length(progress.total_bytes);
        bar.set_position(progress.processed_bytes);
    } else {
        // The cloud tells percent only.
        bar.set_length(100);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "percent, 0 to 100")]
        bar.set_position(progress.process.clamp(0.0, 100.0) as u64);
    }
}
