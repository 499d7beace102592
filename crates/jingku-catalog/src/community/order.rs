use super::groups::Group;
use crate::cursor::{Column, Cursor, InvalidCursor, Order, SortValue};

/// The order of groups; where they are equal, in order of publication, the same way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GroupOrder {
    /// What they are sorted by.
    pub by: GroupSort,
    /// Whether the smallest, or the oldest, comes first.
    pub ascending: bool,
}

/// What groups can be sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GroupSort {
    /// How much the operator recommends it.
    #[default]
    Recommended,
    /// How much it is liked: recommendation, favourites and instances started, added up.
    Favor,
    /// When its newest version was published.
    PubTime,
    /// What its newest version costs.
    Price,
    /// Instances started from its versions.
    CreatedCount,
    /// Hours its versions have been in use.
    ImageUseTime,
    /// Accounts that favour it.
    FavoritesCount,
}

const PUB_TIME: Column = Column::Integer("g.pub_time");
const PUBLISHED: Column = Column::Integer("g.published_ordinal");
const ID: Column = Column::Text("g.id");
const LIKED: &str = "g.recommend_count + g.favorites_count + g.created_count";

/// A number of a group, then what tells groups apart whose number is the same.
macro_rules! by {
    ($number:expr) => {
        &[Column::Integer($number), PUB_TIME, PUBLISHED, ID]
    };
}

/// The same in tokens of the legacy form.
macro_rules! legacy {
    ($number:expr) => {
        &[Column::Integer($number), PUB_TIME, ID]
    };
}

impl GroupOrder {
    /// The place in a list in this order that a token stands for.
    pub fn cursor(self, token: &str) -> Result<Cursor, InvalidCursor> {
        self.order().parse(token)
    }

    /// What groups are sorted by, of `image_groups AS g`.
    pub(super) const fn order(self) -> Order {
        let (name, columns, legacy): (_, &[Column], &[Column]) = match self.by {
            GroupSort::Recommended => {
                ("groups recommended", by!("g.recommend_count"), legacy!("g.recommend_count"))
            }
            GroupSort::Favor => ("groups liked", by!(LIKED), legacy!(LIKED)),
            GroupSort::PubTime => ("groups published", &[PUB_TIME, PUBLISHED, ID], &[PUB_TIME, ID]),
            GroupSort::Price => ("groups priced", by!("g.price_cents"), legacy!("g.price_cents")),
            GroupSort::CreatedCount => ("groups started", by!("g.created_count"), legacy!("g.created_count")),
            GroupSort::ImageUseTime => {
                ("groups used", by!("g.image_use_time_hours"), legacy!("g.image_use_time_hours"))
            }
            GroupSort::FavoritesCount => {
                ("groups favoured", by!("g.favorites_count"), legacy!("g.favorites_count"))
            }
        };
        Order { name, columns, legacy, ascending: self.ascending }
    }

    /// The values of a group in these columns.
    pub(super) fn position(self, group: &Group) -> Vec<SortValue> {
        let value = match self.by {
            GroupSort::Recommended => Some(group.recommend_count),
            GroupSort::Favor => Some(group.recommend_count + group.favorites_count + group.created_count),
            GroupSort::PubTime => None,
            GroupSort::Price => Some(group.price_cents),
            GroupSort::CreatedCount => Some(group.created_count),
            GroupSort::ImageUseTime => Some(group.image_use_time_hours),
            GroupSort::FavoritesCount => Some(group.favorites_count),
        };
        let rest = [group.pub_time.into(), group.published_ordinal.into(), group.id.as_str().into()];
        value.map(SortValue::from).into_iter().chain(rest).collect()
    }
}
