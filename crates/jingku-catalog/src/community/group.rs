use crate::AccountId;
use crate::cursor::{Column, Cursor, InvalidCursor, Order};
use crate::database::{Value, row};

row! {
    /// A group of versions of an image in the community.
    pub struct Group {
        /// Its id, unique in the catalogue.
        pub id: String = "g.id",
        /// The account it belongs to.
        pub account: AccountId = "g.account_id",
        /// The name of its newest public version or, without one, of its newest version.
        pub name: String = "g.name",
        /// The description of the same version.
        pub description: String = "g.description",
        /// The number of public versions.
        pub public_versions: i64 = "g.public_versions",
        /// Its rank set by the operator.
        pub recommend_count: i64 = "g.recommend_count",
        /// How many accounts marked it as a favourite.
        pub favorites_count: i64 = "g.favorites_count",
        /// How many instances were started from its versions.
        pub created_count: i64 = "g.created_count",
        /// How many hours its versions were used.
        pub image_use_time_hours: i64 = "g.image_use_time_hours",
        /// The price of the same version, in 1/100 CNY per hour.
        pub price_cents: i64 = "g.price_cents",
        /// When that version was published, or 0.
        pub pub_time: i64 = "g.pub_time",
        /// Sorts groups of the same time, the last published highest.
        pub published_ordinal: i64 = "g.published_ordinal",
        /// Whether the requesting account marked it as a favourite.
        pub is_favorite: bool = "CAST(CASE WHEN f.created_at IS NULL THEN 0 ELSE 1 END AS BIGINT)",
    }
}

/// The order of groups. Ties are sorted by publication, in the same direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GroupOrder {
    /// The sort field.
    pub by: GroupSort,
    /// Whether to sort in ascending order.
    pub ascending: bool,
}

/// The field that groups are sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GroupSort {
    /// The rank set by the operator.
    #[default]
    Recommended,
    /// Popularity: the sum of rank, favourites and instances started.
    Favor,
    /// When the newest version was published.
    PubTime,
    /// The price of the newest version.
    Price,
    /// Instances started from the versions.
    CreatedCount,
    /// Hours that the versions were used.
    ImageUseTime,
    /// Accounts that marked it as a favourite.
    FavoritesCount,
}

const PUB_TIME: Column = Column::Integer("g.pub_time");
const PUBLISHED: Column = Column::Integer("g.published_ordinal");
const ID: Column = Column::Text("g.id");
const POPULARITY: &str = "g.recommend_count + g.favorites_count + g.created_count";

/// The name of an order by a number, then by columns that make it unique; and the columns in legacy tokens.
macro_rules! by {
    ($name:literal, $number:expr) => {
        (
            $name,
            &[Column::Integer($number), PUB_TIME, PUBLISHED, ID],
            &[Column::Integer($number), PUB_TIME, ID],
        )
    };
}

impl GroupOrder {
    /// Parses the page token of a list in this order.
    pub fn cursor(self, token: &str) -> Result<Cursor, InvalidCursor> {
        self.order().parse(token)
    }

    /// Returns the order of `image_groups AS g`.
    pub(super) const fn order(self) -> Order {
        let (name, columns, legacy): (_, &[Column], &[Column]) = match self.by {
            GroupSort::Recommended => by!("groups recommended", "g.recommend_count"),
            GroupSort::Favor => by!("groups liked", POPULARITY),
            GroupSort::PubTime => ("groups published", &[PUB_TIME, PUBLISHED, ID], &[PUB_TIME, ID]),
            GroupSort::Price => by!("groups priced", "g.price_cents"),
            GroupSort::CreatedCount => by!("groups started", "g.created_count"),
            GroupSort::ImageUseTime => by!("groups used", "g.image_use_time_hours"),
            GroupSort::FavoritesCount => by!("groups favoured", "g.favorites_count"),
        };
        Order { name, columns, legacy, ascending: self.ascending }
    }

    /// Returns the values of a group in these columns.
    pub(super) fn position(self, group: &Group) -> Vec<Value<'static>> {
        let value = match self.by {
            GroupSort::Recommended => Some(group.recommend_count),
            GroupSort::Favor => Some(group.recommend_count + group.favorites_count + group.created_count),
            GroupSort::PubTime => None,
            GroupSort::Price => Some(group.price_cents),
            GroupSort::CreatedCount => Some(group.created_count),
            GroupSort::ImageUseTime => Some(group.image_use_time_hours),
            GroupSort::FavoritesCount => Some(group.favorites_count),
        };
        let rest = [group.pub_time.into(), group.published_ordinal.into(), group.id.clone().into()];
        value.map(Value::from).into_iter().chain(rest).collect()
    }
}
