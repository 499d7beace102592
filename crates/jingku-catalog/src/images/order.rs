use super::row::Image;
use crate::Scope;
use crate::cursor::{Column, Cursor, InvalidCursor, Order};
use crate::paging::Sorting;

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
        self.sorting(scope).order.parse(token)
    }

    pub(super) const fn sorting(self, scope: Scope) -> Sorting<Image> {
        const ID: Column = Column::Text("id");
        const ORDINAL: Column = Column::Integer("ordinal");
        const CREATE_TIME: Column = Column::Integer("create_time");
        const UPDATE_TIME: Column = Column::Integer("update_time");
        const SIZE: Column = Column::Integer("size_bytes");
        const NAME: Column = Column::Text("name");
        let ascending = self.ascending;
        match self.by {
            // Within one account, the order of numbers and of creation times agree.
            ImageSort::CreateTime if scope.is_one_account() => Sorting {
                order: order("newest", &[Column::Integer("seq")], &[CREATE_TIME, ID], ascending),
                compare: |a, b| a.seq.cmp(&b.seq),
                position: |image| vec![image.seq.into()],
            },
            ImageSort::CreateTime => Sorting {
                order: order("newest", &[CREATE_TIME, ORDINAL], &[CREATE_TIME, ID], ascending),
                compare: |a, b| (a.create_time, a.ordinal).cmp(&(b.create_time, b.ordinal)),
                position: |image| vec![image.create_time.into(), image.ordinal.into()],
            },
            ImageSort::UpdateTime => Sorting {
                order: order("updated", &[UPDATE_TIME, ORDINAL], &[UPDATE_TIME, ID], ascending),
                compare: |a, b| (a.update_time, a.ordinal).cmp(&(b.update_time, b.ordinal)),
                position: |image| vec![image.update_time.into(), image.ordinal.into()],
            },
            ImageSort::Size => Sorting {
                order: order("size", &[SIZE, ORDINAL], &[SIZE, ID], ascending),
                compare: |a, b| (a.size_bytes, a.ordinal).cmp(&(b.size_bytes, b.ordinal)),
                position: |image| vec![image.size_bytes.into(), image.ordinal.into()],
            },
            ImageSort::Name => Sorting {
                order: order("name", &[NAME, ORDINAL], &[NAME, ID], ascending),
                compare: |a, b| (&a.name, a.ordinal).cmp(&(&b.name, b.ordinal)),
                position: |image| vec![image.name.as_str().into(), image.ordinal.into()],
            },
        }
    }
}

const fn order(
    name: &'static str,
    columns: &'static [Column],
    legacy: &'static [Column],
    ascending: bool,
) -> Order {
    Order { name, columns, legacy, ascending }
}
