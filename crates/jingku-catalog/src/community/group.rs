use std::sync::Arc;

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
        /// The number of versions.
        pub versions: i64 = "g.versions",
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

/// The place of a group in an order: the number that it is sorted by, publication time and ordinal; and its id.
pub(super) type Place = ([i64; 3], Arc<str>);

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

    /// Returns the columns with the numbers of a [`Place`].
    pub(super) const fn numbers(self) -> &'static str {
        macro_rules! numbers {
            ($number:literal) => {
                concat!($number, ", g.pub_time, g.published_ordinal")
            };
        }
        match self.by {
            GroupSort::Recommended => numbers!("g.recommend_count"),
            GroupSort::Favor => numbers!("g.recommend_count + g.favorites_count + g.created_count"),
            GroupSort::PubTime => numbers!("CAST(0 AS BIGINT)"),
            GroupSort::Price => numbers!("g.price_cents"),
            GroupSort::CreatedCount => numbers!("g.created_count"),
            GroupSort::ImageUseTime => numbers!("g.image_use_time_hours"),
            GroupSort::FavoritesCount => numbers!("g.favorites_count"),
        }
    }

    /// Returns the values of a place in the columns of the order.
    pub(super) fn values(self, (numbers, id): &Place) -> Vec<Value<'static>> {
        let first = usize::from(matches!(self.by, GroupSort::PubTime));
        let numbers = numbers[first..].iter().map(|number| (*number).into());
        numbers.chain([id.to_string().into()]).collect()
    }

    /// Returns the place with these values; `None` if they are of another kind.
    pub(super) fn place(self, values: &[Value<'static>]) -> Option<Place> {
        let number =
            |value: &Value<'_>| if let Value::Integer(number) = value { Some(*number) } else { None };
        let (Value::Text(id), numbers) = values.split_last()? else { return None };
        let numbers: Vec<i64> = numbers.iter().map(number).collect::<Option<_>>()?;
        let numbers = match (numbers[..].try_into(), self.by) {
            (Ok(numbers), _) => numbers,
            (Err(_), GroupSort::PubTime) => [0, *numbers.first()?, *numbers.get(1)?],
            (Err(_), _) => return None,
        };
        Some((numbers, Arc::from(&**id)))
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
