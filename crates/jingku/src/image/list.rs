//! `jingku image list`.

use clap::{Args, ValueEnum};
use compshare::actions::{
    DescribeCompShareCustomImagesRequest, DescribeCompShareCustomImagesResponse, ImageQuery, ImageSort,
    Paging,
};
use compshare::{Client, Image, ImageStatus};
use futures::TryStreamExt;

use crate::args::{ConnectionArgs, Global};
use crate::failure::Failure;
use crate::messages::tr;
use crate::output::{note, print_json, print_table, size, time};

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    #[arg(long, conflicts_with_all = ["offset", "limit"])]
    all: bool,
    #[arg(long, value_name = "IMAGE_ID")]
    id: Option<String>,
    #[arg(long, value_name = "N")]
    offset: Option<u64>,
    #[arg(long, value_name = "N")]
    limit: Option<u32>,
    #[command(flatten)]
    query: QueryArgs,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

/// An extension of Jingku: the cloud cannot do this.
#[derive(Debug, Args)]
#[command(next_help_heading = "help-heading-query")]
struct QueryArgs {
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    #[arg(long = "status", value_name = "STATUS", value_parser = status)]
    statuses: Vec<ImageStatus>,
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    #[arg(long, value_name = "TIME", value_parser = moment)]
    since: Option<i64>,
    #[arg(long, value_name = "TIME", value_parser = moment)]
    until: Option<i64>,
    #[arg(long, value_name = "SIZE", value_parser = megabytes)]
    min_size: Option<u32>,
    #[arg(long, value_name = "SIZE", value_parser = megabytes)]
    max_size: Option<u32>,
    #[arg(long, value_name = "created|updated|size|name", hide_possible_values = true)]
    sort: Option<SortBy>,
    #[arg(long)]
    ascending: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum SortBy {
    Created,
    Updated,
    Size,
    Name,
}

impl QueryArgs {
    fn into_query(self) -> ImageQuery {
        ImageQuery {
            name: self.name,
            statuses: self.statuses,
            tags: self.tags,
            created_from: self.since,
            created_before: self.until,
            size_from: self.min_size,
            size_below: self.max_size,
            sort: match self.sort {
                None | Some(SortBy::Created) => ImageSort::CreateTime,
                Some(SortBy::Updated) => ImageSort::UpdateTime,
                Some(SortBy::Size) => ImageSort::Size,
                Some(SortBy::Name) => ImageSort::Name,
            },
            ascending: self.ascending,
        }
    }
}

fn status(word: &str) -> Result<ImageStatus, String> {
    let known = [
        ImageStatus::Making,
        ImageStatus::Available,
        ImageStatus::UnAvailable,
        ImageStatus::Reviewing,
        ImageStatus::Offline,
    ];
    let found = known.into_iter().find(|status| status.as_str().eq_ignore_ascii_case(word));
    found.ok_or_else(|| {
        let known = known.map(ImageStatus::as_str).join(", ");
        tr!("argument-status", known = known)
    })
}

/// A day or a minute in local time, an exact time with its zone, or so long ago.
fn moment(text: &str) -> Result<i64, String> {
    let system = jiff::tz::TimeZone::system();
    if let Ok(exact) = text.parse::<jiff::Timestamp>() {
        return Ok(exact.as_second());
    }
    let local =
        text.parse::<jiff::civil::DateTime>().or_else(|_| text.parse::<jiff::civil::Date>().map(Into::into));
    if let Ok(local) = local {
        return local
            .to_zoned_datetime(system)
            .map(|moment| moment.timestamp().as_second())
            .map_err(|e| e.to_string());
    }
    let ago =
        text.parse::<jiff::Span>().ok().and_then(|span| jiff::ZonedDateTime::now().checked_sub(span).ok());
    ago.map(|moment| moment.timestamp().as_second()).ok_or_else(|| tr!("argument-moment"))
}

/// A size in MB: a number with or without a unit.
fn megabytes(text: &str) -> Result<u32, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor = match text[digits.len()..].to_ascii_uppercase().as_str() {
        "" | "M" | "MB" | "MIB" => Some(1),
        "G" | "GB" | "GIB" => Some(1 << 10),
        "T" | "TB" | "TIB" => Some(1 << 20),
        _ => None,
    };
    let size = factor.and_then(|factor| digits.parse::<u32>().ok()?.checked_mul(factor));
    size.ok_or_else(|| tr!("argument-megabytes"))
}

pub(super) async fn run(global: &Global, client: &Client, args: ListArgs) -> Result<(), Failure> {
    let request = DescribeCompShareCustomImagesRequest {
        image_id: args.id,
        query: args.query.into_query(),
        paging: Paging { offset: args.offset, limit: args.limit, next_token: None },
        ..DescribeCompShareCustomImagesRequest::default()
    };
    let page = if args.all {
        let image_set: Vec<Image> = client.custom_images(request).try_collect().await?;
        let total_count = i64::try_from(image_set.len()).unwrap_or(i64::MAX);
        DescribeCompShareCustomImagesResponse { total_count, image_set, next_token: String::new() }
    } else {
        client.describe_comp_share_custom_images(&request).await?
    };
    if global.json {
        return print_json(&page);
    }
    print_images(&page.image_set)?;
    let (shown, total) = (page.image_set.len(), page.total_count);
    if i64::try_from(shown).is_ok_and(|shown| shown < total) {
        note(&tr!("image-some", shown = shown, total = total));
    }
    Ok(())
}

/// Prints images as a table.
pub(crate) fn print_images(images: &[Image]) -> Result<(), Failure> {
    let headings =
        [tr!("table-id"), tr!("table-name"), tr!("table-status"), tr!("table-size"), tr!("table-created")];
    let row = |image: &Image| {
        vec![
            image.comp_share_image_id.clone(),
            image.name.clone(),
            image.status.as_str().to_owned(),
            size(image.size),
            time(image.create_time),
        ]
    };
    print_table(&headings, images.iter().map(row).collect(), 1, || tr!("image-none"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_are_read_as_people_write_them() {
        for (text, mb) in [("500", 500), ("500MB", 500), ("20GB", 20 << 10), ("1t", 1 << 20)] {
            assert_eq!(megabytes(text), Ok(mb), "{text}");
        }
        for text in ["", "GB", "1.5GB", "-1", "9999999GB", "10 kB"] {
            assert!(megabytes(text).is_err(), "{text}");
        }
        assert_eq!(moment("2026-11-24T08:00:00Z"), Ok(1_795_507_200));
        let (day, week) = (moment("1d").unwrap(), moment("7d").unwrap());
        assert!((day - week - 6 * 86_400).abs() <= 3_600 + 2, "a day may have 23 or 25 hours");
        assert!(moment("2026-11-24").is_ok() && moment("2026-11-24T08:00").is_ok());
        for text in ["", "yesterday", "2026-13-01", "24"] {
            assert!(moment(text).is_err(), "{text}");
        }
    }
}
