use crate::AccountId;
use crate::database::{Cells, Read};

/// A group of versions of an image in the community.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its id, unique in the catalogue.
    pub id: String,
    /// The account it belongs to.
    pub account: AccountId,
    /// The name of its newest public version or, without one, of its newest version.
    pub name: String,
    /// The description of the same version.
    pub description: String,
    /// The number of public versions.
    pub public_versions: i64,
    /// Its rank set by the operator.
    pub recommend_count: i64,
    /// How many accounts marked it as a favourite.
    pub favorites_count: i64,
    /// How many instances were started from its versions.
    pub created_count: i64,
    /// How many hours its versions were used.
    pub image_use_time_hours: i64,
    /// The price of the same version, in 1/100 CNY per hour.
    pub price_cents: i64,
    /// When that version was published, or 0.
    pub pub_time: i64,
    /// Sorts groups of the same time, the last published highest.
    pub published_ordinal: i64,
    /// Whether the requesting account marked it as a favourite.
    pub is_favorite: bool,
}

/// The columns of [`group_cells`] except the last, which is not null for favourites.
pub(super) const COLUMNS: &str = "g.id, g.account_id, g.name, g.description, g.public_versions, g.recommend_count, \
     g.favorites_count, g.created_count, g.image_use_time_hours, g.price_cents, g.pub_time, g.published_ordinal";

pub(super) fn group_cells(cells: &mut Cells) -> Read<Group> {
    Ok(Group {
        id: cells.text()?,
        account: cells.account()?,
        name: cells.text()?,
        description: cells.text()?,
        public_versions: cells.integer()?,
        recommend_count: cells.integer()?,
        favorites_count: cells.integer()?,
        created_count: cells.integer()?,
        image_use_time_hours: cells.integer()?,
        price_cents: cells.integer()?,
        pub_time: cells.integer()?,
        published_ordinal: cells.integer()?,
        is_favorite: cells.optional_integer()?.is_some(),
    })
}
