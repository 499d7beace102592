//! Waits for image creation: a progress bar on a terminal, nothing elsewhere.

use std::fmt;
use std::time::Duration;

use compshare::actions::{
    GetCompShareImageCreateProgressRequest, GetCompShareImageCreateProgressResponse as Progress,
};
use compshare::{Error, WaitOptions};
use indicatif::{HumanDuration, ProgressBar, ProgressState, ProgressStyle};
use serde_json::json;

use super::show;
use crate::connection::Connection;
use crate::failure::{Exit, Failure};
use crate::messages::tr;
use crate::output::{bytes, done, note, print, print_json, size, warn};

/// The first pause between questions. A second image of an instance may take less than a second.
const FIRST_PAUSE: Duration = Duration::from_millis(30);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

pub(super) async fn progress(connection: &Connection<'_>, image_id: &str) -> Result<(), Failure> {
    let progress = ask(connection, image_id).await?;
    progress.warnings.iter().for_each(|warning| warn(warning));
    done(connection.global, &progress, &line(&progress))
}

async fn ask(connection: &Connection<'_>, image_id: &str) -> Result<Progress, Error> {
    let request = GetCompShareImageCreateProgressRequest {
        image_id: image_id.into(),
        ..GetCompShareImageCreateProgressRequest::default()
    };
    connection.client.get_comp_share_image_create_progress(&request).await
}

fn line(progress: &Progress) -> String {
    let percent = progress.process;
    if !progress.failed_reason.is_empty() {
        return tr!("image-failed", reason = progress.failed_reason.as_str());
    }
    // Only Jingku sends a status; for the cloud, 100 percent means done. "0" seconds left means that the cloud has no
    // estimate yet.
    let (status, left) = (&progress.status, progress.remaining_duration.as_str());
    let done = percent >= 100.0;
    let status = if status.is_empty() { if done { "Available" } else { "Making" } } else { status };
    if done || left.is_empty() || left == "0" {
        return format!("{status} {percent}%");
    }
    tr!("image-progress", status, percent, seconds = left)
}

/// Waits for an image in progress, or prints its id and how to follow it.
pub(super) async fn begun(connection: &Connection<'_>, image_id: &str, wait: bool) -> Result<(), Failure> {
    if wait {
        return until_made(connection, image_id).await;
    }
    if connection.global.json {
        return print_json(&json!({ "CompShareImageId": image_id }));
    }
    // Only the id on standard output: `id=$(jingku image create …)`.
    print(image_id)?;
    let command = connection.command(&["image", "progress", image_id, "--wait"]);
    note(&tr!("image-started", command));
    Ok(())
}

/// Waits until the image is available. Ctrl-C stops waiting; the server continues.
pub(super) async fn until_made(connection: &Connection<'_>, image_id: &str) -> Result<(), Failure> {
    let bar = bar(0);
    let options =
        WaitOptions { first_pause: FIRST_PAUSE, longest_pause: LONGEST_PAUSE, ..WaitOptions::default() };
    let mut last = Progress::default();
    let waiting = connection.client.wait_until_available(image_id, &options, |progress| {
        show(&bar, progress);
        last.clone_from(progress);
    });
    let outcome = tokio::select! {
        outcome = waiting => outcome,
        _ = tokio::signal::ctrl_c() => {
            bar.abandon();
            let command = connection.command(&["image", "progress", image_id, "--wait"]);
            return Err(Failure::new(Exit::Interrupted, tr!("image-detached", command)));
        }
    };
    bar.finish_and_clear();
    let image = outcome?;
    warnings(connection, image_id, last).await.iter().for_each(|warning| warn(warning));
    let text = tr!("image-available", id = image_id, name = image.name, size = size(image.size));
    done(connection.global, &image, &text)?;
    if let Some(command) = show::pull_command(connection, &image).filter(|_| !connection.global.json) {
        note(&tr!("image-pull", command));
    }
    Ok(())
}

/// The server's warnings about the disk. It may have found some after the last progress request.
async fn warnings(connection: &Connection<'_>, image_id: &str, last: Progress) -> Vec<String> {
    // The cloud sends neither status nor warnings.
    if last.status != "Making" {
        return last.warnings;
    }
    ask(connection, image_id).await.map_or(last.warnings, |progress| progress.warnings)
}

/// A bar with percent, MB/s, time left and what was already present. indicatif draws it on standard error, and only on
/// a terminal.
pub(super) fn bar(length: u64) -> ProgressBar {
    let left = tr!("image-bar-left", time = "{left}");
    let template = format!("{{bar:32}} {{percent:>3}}%  {{decimal_bytes_per_sec}}  {left}  {{msg}}");
    let style = ProgressStyle::with_template(&template).expect("the template is right");
    let left = |state: &ProgressState, text: &mut dyn fmt::Write| {
        // Writing to the bar cannot fail.
        let _ = text.write_str(&time_left(state.pos(), state.len().unwrap_or(0), state.eta()));
    };
    ProgressBar::new(length).with_style(style.with_key("left", left))
}

/// The time left: unknown before anything is measured, and never zero before the end.
fn time_left(position: u64, length: u64, estimate: Duration) -> String {
    if position >= length {
        return "0s".to_owned();
    }
    if position == 0 || estimate.is_zero() {
        return "?".to_owned();
    }
    format!("{:#}", HumanDuration(estimate.max(Duration::from_secs(1))))
}

/// The amount that need not be sent or stored again.
pub(super) fn already_present(count: u64) -> String {
    tr!("image-bar-present", size = bytes(count))
}

fn show(bar: &ProgressBar, progress: &Progress) {
    if progress.total_bytes > 0 {
        bar.set_length(progress.total_bytes);
        bar.set_position(progress.processed_bytes);
        if progress.present_bytes > 0 {
            bar.set_message(already_present(progress.present_bytes));
        }
    } else {
        // The cloud sends only a percentage.
        bar.set_length(100);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "percent, 0 to 100")]
        bar.set_position(progress.process.clamp(0.0, 100.0) as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_never_says_that_nothing_is_left_before_the_end() {
        for (position, length, millis, left) in [
            (0, 100, 0, "?"),
            (0, 0, 0, "0s"),
            (1, 100, 0, "?"),
            (99, 100, 300, "1s"),
            (50, 100, 11_000, "11s"),
            (100, 100, 0, "0s"),
        ] {
            assert_eq!(
                time_left(position, length, Duration::from_millis(millis)),
                left,
                "{position} of {length}"
            );
        }
    }
}
