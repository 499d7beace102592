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
use crate::lang::tr;
use crate::output::{note, print_json, print_table, size, time};

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    #[arg(long, conflicts_with_all = ["offset", "limit"], help = tr("All pages", "所有页"))]
    all: bool,
    #[arg(long, value_name = "IMAGE_ID", help = tr("Only this image", "只看这个镜像"))]
    id: Option<String>,
    #[arg(long, value_name = "N", help = tr("Images to pass over [default: 0]", "跳过的镜像数 [默认：0]"))]
    offset: Option<u64>,
    #[arg(long, value_name = "N", help = tr("Images wanted, at most 100 [default: 20]", "最多列出几个，上限 100 [默认：20]"))]
    limit: Option<u32>,
    #[command(flatten)]
    query: QueryArgs,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

/// An extension of Jingku: the cloud cannot do this.
#[derive(Debug, Args)]
#[command(next_help_heading = tr("Filter and sort (Jingku only)", "筛选与排序（仅限镜库）"))]
struct QueryArgs {
    #[arg(long, value_name = "TEXT", help = tr("Part of the name", "名称包含的文字"))]
    name: Option<String>,
    #[arg(long = "status", value_name = "STATUS", value_parser = status, help = tr("In this state; repeat for any of several", "处于该状态；可重复，满足其一即可"))]
    statuses: Vec<ImageStatus>,
    #[arg(long = "tag", value_name = "TAG", help = tr("With this tag; repeat for all of several", "带有该标签；可重复，须全部满足"))]
    tags: Vec<String>,
    #[arg(long, value_name = "TIME", value_parser = moment, help = tr("Created then or later: 2026-11-24, 2026-11-24T08:00 or 7d ago", "在此时间或之后创建：2026-11-24、2026-11-24T08:00 或 7d（七天前）"))]
    since: Option<i64>,
    #[arg(long, value_name = "TIME", value_parser = moment, help = tr("Created earlier", "在此时间之前创建"))]
    until: Option<i64>,
    #[arg(long, value_name = "SIZE", value_parser = megabytes, help = tr("This large or larger: 500MB, 20GB", "不小于该大小：500MB、20GB"))]
    min_size: Option<u32>,
    #[arg(long, value_name = "SIZE", value_parser = megabytes, help = tr("Smaller than this", "小于该大小"))]
    max_size: Option<u32>,
    #[arg(long, value_name = "created|updated|size|name", hide_possible_values = true, help = tr("What to sort by [default: created]", "排序依据 [默认：created]"))]
    sort: Option<SortBy>,
    #[arg(long, help = tr("Smallest or oldest first", "从小到大，或从旧到新"))]
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
            name: self.name.map(Into::into),
            statuses: self.statuses,
            tags: self.tags.into(),
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
        tr(format!("states are {known}"), format!("状态有 {known}"))
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
    ago.map(|moment| moment.timestamp().as_second()).ok_or_else(|| {
        tr(
            "write a day (2026-11-24), a time (2026-11-24T08:00) or how long ago (7d, 12h)",
            "请写日期（2026-11-24）、时间（2026-11-24T08:00）或多久以前（7d、12h）",
        )
        .to_owned()
    })
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
    size.ok_or_else(|| {
        tr("write a whole number of MB, GB or TB, such as 20GB", "请写整数，单位 MB、GB 或 TB，如 20GB")
            .to_owned()
    })
}

pub(super) async fn run(global: &Global, client: &Client, args: ListArgs) -> Result<(), Failure> {
    let request = DescribeCompShareCustomImagesRequest {
        image_id: args.id.map(Into::into),
        query: args.query.into_query(),
        paging: Paging {
            offset: args.offset.map(Into::into),
            limit: args.limit.map(Into::into),
            next_token: None,
        },
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
        note(&tr(format!("{shown} of {total} images"), format!("共 {total} 个镜像，显示 {shown} 个")));
    }
    Ok(())
}

/// Prints images as a table.
pub(crate) fn print_images(images: &[Image]) -> Result<(), Failure> {
    let headings =
        tr(["ID", "NAME", "STATUS", "SIZE", "CREATED"], ["ID", "名称", "状态", "大小", "创建时间"]);
    let row = |image: &Image| {
        vec![
            image.comp_share_image_id.clone(),
            image.name.clone(),
            image.status.as_str().to_owned(),
            size(image.size),
            time(image.create_time),
        ]
    };
    print_table(&headings, images.iter().map(row).collect(), 1, tr("No images.", "没有镜像。"))
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
