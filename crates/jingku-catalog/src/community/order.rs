use super::groups::Group;
use crate::cursor::{Column, Cursor, InvalidCursor, Key, Order};

/// The order of groups; where they are equal, by time of publication, then id, the same way.
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

impl GroupOrder {
    /// The place in a list in this order that a token stands for.
    pub fn cursor(self, token: &str) -> Result<Cursor, InvalidCursor> {
        self.order().parse(token)
    }

    /// What groups are sorted by, of `image_groups AS g`.
    pub(super) const fn order(self) -> Order {
        const PUB_TIME: Column = Column::Integer("g.pub_time");
        const ID: Column = Column::Text("g.id");
        const LIKED: Column = Column::Integer("g.recommend_count + g.favorites_count + g.created_count");
        let (name, columns): (_, &[Column]) = match self.by {
            GroupSort::Recommended => {
                ("groups recommended", &[Column::Integer("g.recommend_count"), PUB_TIME, ID])
            }
            GroupSort::Favor => ("groups liked", &[LIKED, PUB_TIME, ID]),
            GroupSort::PubTime => ("groups published", &[PUB_TIME, ID]),
            GroupSort::Price => ("groups priced", &[Column::Integer("g.price_cents"), PUB_TIME, ID]),
            GroupSort::CreatedCount => {
                ("groups started", &[Column::Integer("g.created_count"), PUB_TIME, ID])
            }
            GroupSort::ImageUseTime => {
                ("groups used", &[Column::Integer("g.image_use_time_hours"), PUB_TIME, ID])
            }
            GroupSort::FavoritesCount => {
                ("groups favoured", &[Column::Integer("g.favorites_count"), PUB_TIME, ID])
            }
        };
        Order { name, columns, ascending: self.ascending }
    }

    /// The values of a group in these columns.
    pub(super) fn place(self, group: &Group) -> Vec<Key> {
        let value = match self.by {
            GroupSort::Recommended => Some(group.recommend_count),
            GroupSort::Favor => Some(group.recommend_count + group.favorites_count + group.created_count),
            GroupSort::PubTime => None,
            GroupSort::Price => Some(group.price_cents),
            GroupSort::CreatedCount => Some(group.created_count),
            GroupSort::ImageUseTime => Some(group.image_use_time_hours),
            GroupSort::FavoritesCount => Some(group.favorites_count),
        };
        let value = value.map(Key::from);
        value.into_iter().chain([group.pub_time.into(), group.id.as_str().into()]).collect()
    }
}
