use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::InvalidCursor;
use crate::database::Params;

/// What groups are sorted by; where that is equal, by time of publication, then id.
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

impl GroupSort {
    const ALL: [Self; 7] = [
        Self::Recommended,
        Self::Favor,
        Self::PubTime,
        Self::Price,
        Self::CreatedCount,
        Self::ImageUseTime,
        Self::FavoritesCount,
    ];

    /// The key, of `image_groups AS g`.
    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::Recommended => "g.recommend_count",
            Self::Favor => "g.recommend_count + g.favorites_count + g.created_count",
            Self::PubTime => "g.pub_time",
            Self::Price => "g.price_cents",
            Self::CreatedCount => "g.created_count",
            Self::ImageUseTime => "g.image_use_time_hours",
            Self::FavoritesCount => "g.favorites_count",
        }
    }

    /// What a token calls it; never used again for another.
    const fn word(self) -> &'static str {
        match self {
            Self::Recommended => "recommended",
            Self::Favor => "favor",
            Self::PubTime => "published",
            Self::Price => "price",
            Self::CreatedCount => "created",
            Self::ImageUseTime => "used",
            Self::FavoritesCount => "favorites",
        }
    }
}

/// The order of groups.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GroupOrder {
    /// What they are sorted by.
    pub sort: GroupSort,
    /// Smallest, oldest and least id first, not last.
    pub ascending: bool,
}

impl GroupOrder {
    pub(super) const fn direction(self) -> &'static str {
        if self.ascending { "ASC" } else { "DESC" }
    }
}

/// Which part of a list of groups is wanted.
#[derive(Clone, Copy, Debug)]
pub enum GroupPaging<'a> {
    /// `limit` groups after the first `offset`.
    Offset {
        /// Groups to leave out.
        offset: u32,
        /// Groups wanted at most.
        limit: u32,
    },
    /// `limit` groups after a place. None is left out or seen twice while others come and go, and while its own key
    /// stays what it is.
    After {
        /// The place, from [`GroupPage::next`](super::GroupPage::next), of a page in the same order.
        cursor: &'a GroupCursor,
        /// Groups wanted at most.
        limit: u32,
    },
}

impl<'a> GroupPaging<'a> {
    pub(super) const fn limit(&self) -> u32 {
        match *self {
            Self::Offset { limit, .. } | Self::After { limit, .. } => limit,
        }
    }

    pub(super) const fn offset(&self) -> u32 {
        match *self {
            Self::Offset { offset, .. } => offset,
            Self::After { .. } => 0,
        }
    }

    /// The condition, to be put after others, that lets through what is past the cursor.
    pub(super) fn after(self, order: GroupOrder, params: &mut Params<'a>) -> String {
        let Self::After { cursor, .. } = self else { return String::new() };
        let past = if order.ascending { ">" } else { "<" };
        format!(
            " AND ({}, g.pub_time, g.id) {past} ({}, {}, {})",
            order.sort.key(),
            params.add(cursor.key),
            params.add(cursor.pub_time),
            params.add(&cursor.id)
        )
    }
}

/// The place of a group in a list of a certain order.
///
/// Its text is a token without spaces. What it holds is no secret and gives no right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupCursor {
    pub(super) order: GroupOrder,
    pub(super) key: i64,
    pub(super) pub_time: i64,
    pub(super) id: String,
}

impl GroupCursor {
    /// The order of the list that it is a place in, and no other.
    pub const fn order(&self) -> GroupOrder {
        self.order
    }
}

/// The first word of a token: other lists have other tokens, and a later form can be told from this one.
const FORM: &str = "g1";

impl fmt::Display for GroupCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { order, key, pub_time, id } = self;
        let (sort, direction) = (order.sort.word(), order.direction());
        f.write_str(&URL_SAFE_NO_PAD.encode(format!("{FORM} {sort} {direction} {key} {pub_time} {id}")))
    }
}

impl FromStr for GroupCursor {
    type Err = InvalidCursor;

    fn from_str(token: &str) -> Result<Self, InvalidCursor> {
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| InvalidCursor)?;
        let text = str::from_utf8(&bytes).map_err(|_| InvalidCursor)?;
        // PostgreSQL takes no text with a zero byte.
        if text.contains('\0') {
            return Err(InvalidCursor);
        }
        let words: Vec<&str> = text.splitn(6, ' ').collect();
        let [FORM, sort, direction, key, pub_time, id] = words[..] else { return Err(InvalidCursor) };
        let sort = GroupSort::ALL.into_iter().find(|known| known.word() == sort).ok_or(InvalidCursor)?;
        let ascending = match direction {
            "ASC" => true,
            "DESC" => false,
            _ => return Err(InvalidCursor),
        };
        let number = |word: &str| word.parse().map_err(|_| InvalidCursor);
        Ok(Self {
            order: GroupOrder { sort, ascending },
            key: number(key)?,
            pub_time: number(pub_time)?,
            id: id.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_its_token() {
        for sort in GroupSort::ALL {
            for ascending in [true, false] {
                let order = GroupOrder { sort, ascending };
                let cursor =
                    GroupCursor { order, key: -7, pub_time: 1_700_000_000, id: "9WFDPteiVhX5".to_owned() };
                assert_eq!(cursor.to_string().parse(), Ok(cursor));
            }
        }
    }

    #[test]
    fn other_texts_are_refused() {
        let texts =
            ["g1 price DESC 1 5", "g1 price UP 1 5 a", "g1 size ASC 1 5 a", "1 5 a", "g1 price ASC 1 5 \0"];
        for text in
            texts.map(|text| URL_SAFE_NO_PAD.encode(text)).iter().map(String::as_str).chain(["", "镜库"])
        {
            assert_eq!(text.parse::<GroupCursor>(), Err(InvalidCursor), "{text}");
        }
    }
}
