use super::row::Image;
use crate::Scope;
use crate::cursor::{Column, Cursor, InvalidCursor, Order};
use crate::database::Value;

/// The order of a list of images; by default, newest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImageOrder {
    /// The sort field. Ties are sorted by creation.
    pub by: ImageSort,
    /// Whether to sort in ascending order.
    pub ascending: bool,
}

/// The field that images are sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ImageSort {
    /// [`Image::create_time`].
    #[default]
    CreateTime,
    /// [`Image::update_time`].
    UpdateTime,
    /// [`Image::size_bytes`].
    Size,
    /// [`Image::name`], by code point.
    Name,
}

impl ImageOrder {
    /// Parses the page token of a list in this order of the images in a scope.
    pub fn cursor(self, scope: Scope, token: &str) -> Result<Cursor, InvalidCursor> {
        self.order(scope).parse(token)
    }

    pub(super) const fn order(self, scope: Scope) -> Order {
        const ID: Column = Column::Text("id");
        const ORDINAL: Column = Column::Integer("ordinal");
        const CREATE_TIME: Column = Column::Integer("create_time");
        const UPDATE_TIME: Column = Column::Integer("update_time");
        const SIZE: Column = Column::Integer("size_bytes");
        const NAME: Column = Column::Text("name");
        let (name, columns, legacy): (_, &[Column], &[Column]) = match self.by {
            // Within one account, the order of numbers and of creation times agree.
            ImageSort::CreateTime if scope.is_one_account() => {
                ("newest", &[Column::Integer("seq")], &[CREATE_TIME, ID])
            }
            ImageSort::CreateTime => ("newest", &[CREATE_TIME, ORDINAL], &[CREATE_TIME, ID]),
            ImageSort::UpdateTime => ("updated", &[UPDATE_TIME, ORDINAL], &[UPDATE_TIME, ID]),
            ImageSort::Size => ("size", &[SIZE, ORDINAL], &[SIZE, ID]),
            ImageSort::Name => ("name", &[NAME, ORDINAL], &[NAME, ID]),
        };
        Order { name, columns, legacy, ascending: self.ascending }
    }

    /// Returns the values of an image in the columns of the order.
    pub(super) fn position(self, scope: Scope, image: &Image) -> Vec<Value<'static>> {
        let first = match self.by {
            ImageSort::CreateTime if scope.is_one_account() => return vec![image.seq.into()],
            ImageSort::CreateTime => image.create_time.into(),
            ImageSort::UpdateTime => image.update_time.into(),
            ImageSort::Size => image.size_bytes.into(),
            ImageSort::Name => image.name.clone().into(),
        };
        vec![first, image.ordinal.into()]
    }
}
