//! Conversions between API types and catalogue rows.

use jingku_catalog::{
    AccountId, Cursor, Image as Row, ImageFilter, ImageStatus as RowStatus, InvalidCursor,
    Paging as RowPaging, Scope,
};
use jingku_library::{Internal, cents_to_price};
use jingku_protocol::actions::{Paging, Word};
use jingku_protocol::{Image, ImageStatus, Owner, SupportedZone};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::context::Context;
use crate::error::Error;
use crate::registry::Repository;

/// The owner that the API shows for platform images.
pub(crate) const OFFICIAL: &str = "Official";

const MB: i64 = 1 << 20;

/// Converts an image row. Only a request by id shows the readme.
pub(crate) fn image(row: Row, context: &Context, with_readme: bool) -> Result<Image, Internal> {
    let official = row.account == AccountId::PLATFORM;
    let owner_name = if official { OFFICIAL.to_owned() } else { row.owner_name };
    let is_container = row.container && row.manifest.is_some();
    let repository =
        if is_container { Repository::of(row.account.0, &row.name, &row.id) } else { String::new() };
    let zone_id = context.library.zones.find(&row.zone).map_or(0, |zone| zone.zone_id);
    Ok(Image {
        softwares: row.softwares.as_deref().map(|json| parse(&row.id, json)).transpose()?,
        software_ports: parse(&row.id, &row.software_ports)?,
        firewall_ports: row.firewall_ports.iter().filter_map(|port| u16::try_from(*port).ok()).collect(),
        comp_share_image_id: row.id,
        name: row.name,
        status: status(row.status),
        container: if row.container { "True" } else { "False" }.to_owned(),
        image_type: if row.platform_type.is_empty() { "Custom".to_owned() } else { row.platform_type },
        image_owner_alias: if official { OFFICIAL.to_owned() } else { String::new() },
        author: owner_name.clone(),
        auth_info: i64::from(official),
        is_official: official,
        size: megabytes(row.size_bytes),
        visibility: row.visibility,
        description: row.description,
        tags: row.tags,
        price: cents_to_price(row.price_cents),
        cover: context.cover_url(&row.cover),
        readme: with_readme.then_some(row.readme),
        supported_gpu_types: row.supported_gpu_types,
        auto_start: row.auto_start,
        image_charge: row.price_cents > 0,
        image_use_time: row.image_use_time_hours,
        created_count: row.created_count,
        favorites_count: row.favorites_count,
        failed_reason: row.failed_reason,
        create_time: row.create_time,
        pub_time: row.pub_time,
        update_time: row.update_time,
        owner: Owner { account_name: owner_name, account_id: row.account.0.to_string() },
        group_id: row.group_id,
        version_name: row.version_name,
        version_desc: row.version_desc,
        source_gpu_type: row.source_gpu_type,
        image_support_zone: vec![SupportedZone { zone: row.zone.clone(), zone_id }],
        zone: row.zone,
        qr_code_url: String::new(),
        repository,
        left_out: None,
    })
}

/// A page of a list of images.
pub(crate) struct ImagePage {
    pub(crate) total: i64,
    pub(crate) images: Vec<Image>,
    /// Empty on the last page.
    pub(crate) next_token: String,
}

pub(crate) async fn image_page(
    context: &Context,
    scope: Scope,
    filter: ImageFilter<'_>,
    paging: &Paging,
) -> Result<ImagePage, Error> {
    let cursor = cursor(paging, |token| filter.order.cursor(scope, token))?;
    let page = context.library.catalog.images_page(scope, filter, rows(paging, cursor.as_ref())).await?;
    let images = page.items.into_iter().map(|row| image(row, context, filter.with_readme));
    let images = images.collect::<Result<_, _>>()?;
    Ok(ImagePage { total: page.total, images, next_token: next_token(page.next) })
}

/// Converts an image row to a version in the community.
pub(crate) fn community_image(row: Row, context: &Context, with_readme: bool) -> Result<Image, Internal> {
    const COMMUNITY: &str = "Community";
    let image = image(row, context, with_readme)?;
    Ok(Image { image_type: COMMUNITY.to_owned(), image_owner_alias: COMMUNITY.to_owned(), ..image })
}

pub(crate) fn status(status: RowStatus) -> ImageStatus {
    match status {
        RowStatus::Making => ImageStatus::Making,
        RowStatus::Available => ImageStatus::Available,
        RowStatus::UnAvailable => ImageStatus::UnAvailable,
        RowStatus::Reviewing => ImageStatus::Reviewing,
        RowStatus::Offline => ImageStatus::Offline,
    }
}

/// `None` for a status that no row has.
pub(crate) fn row_status(wanted: ImageStatus) -> Option<RowStatus> {
    match wanted {
        ImageStatus::Making => Some(RowStatus::Making),
        ImageStatus::Available => Some(RowStatus::Available),
        ImageStatus::UnAvailable => Some(RowStatus::UnAvailable),
        ImageStatus::Reviewing => Some(RowStatus::Reviewing),
        ImageStatus::Offline => Some(RowStatus::Offline),
        ImageStatus::Unknown => None,
    }
}

/// A size in MB, rounded up, as the API shows sizes.
pub(crate) fn megabytes(bytes: i64) -> i64 {
    bytes.saturating_add(MB - 1) / MB
}

/// The smallest size in bytes that the API shows as `mb`.
pub(crate) fn smallest_bytes(mb: u32) -> i64 {
    (i64::from(mb) - 1) * MB + 1
}

/// Parses the `NextToken` of a request with the list's parser.
pub(crate) fn cursor(
    paging: &Paging,
    parse: impl Fn(&str) -> Result<Cursor, InvalidCursor>,
) -> Result<Option<Cursor>, Error> {
    let token = paging.next_token.as_deref();
    token.map(parse).transpose().map_err(|InvalidCursor| Error::not_available("NextToken"))
}

/// The rows of a page. A cursor replaces the offset.
pub(crate) fn rows<'a>(paging: &Paging, cursor: Option<&'a Cursor>) -> RowPaging<'a> {
    let limit = paging.limit();
    match cursor {
        Some(cursor) => RowPaging::After { cursor, limit },
        // No list is longer than `u32::MAX`, so a larger offset is also past the end.
        None => RowPaging::Offset { offset: u32::try_from(paging.offset()).unwrap_or(u32::MAX), limit },
    }
}

/// The `NextToken` of a page; empty on the last page.
pub(crate) fn next_token(next: Option<Cursor>) -> String {
    next.map(|cursor| cursor.to_string()).unwrap_or_default()
}

pub(crate) fn texts(list: &[Word]) -> Vec<&str> {
    list.iter().map(|word| &**word).collect()
}

/// Serialises a value that the catalogue stores as JSON and never reads.
pub(crate) fn to_json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("lists and texts serialise")
}

fn parse<T: DeserializeOwned>(image: &str, json: &str) -> Result<T, Internal> {
    serde_json::from_str(json).map_err(|error| Internal::BadRow(format!("image {image}: {error}")))
}
