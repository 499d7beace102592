use super::row::Image;
use crate::cursor::{Column, Cursor, InvalidCursor, Order};
use crate::paging::Sorting;

/// The order of a list of images: newest first unless told otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImageOrder {
    /// What they are sorted by; those that are equal, by id.
    pub by: ImageSort,
    /// Whether the smallest, or the oldest, comes first.
    pub ascending: bool,
}

/// What images can be sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ImageSort {
    /// [`Image::create_time`].
    #[default]
    CreateTime,
    /// [`Image::update_time`].
    UpdateTime,
    /// [`Image::size_bytes`].
    Size,
    /// [`Image::name`], by the numbers of its characters.
    Name,
}

impl ImageOrder {
    /// The place in a list in this order that a token stands for.
    pub fn cursor(self, token: &str) -> Result<Cursor, InvalidCursor> {
        self.sorting().order.parse(token)
    }

    pub(super) const fn sorting(self) -> Sorting<Image> {
        const ID: Column = Column::Text("id");
        let ascending = self.ascending;
        match self.by {
            ImageSort::CreateTime => Sorting {
                order: Order { name: "newest", columns: &[Column::Integer("create_time"), ID], ascending },
                ascending: |a, b| (a.create_time, &a.id).cmp(&(b.create_time, &b.id)),
                place: |image| vec![image.create_time.into(), image.id.as_str().into()],
            },
            ImageSort::UpdateTime => Sorting {
                order: Order { name: "updated", columns: &[Column::Integer("update_time"), ID], ascending },
                ascending: |a, b| (a.update_time, &a.id).cmp(&(b.update_time, &b.id)),
                place: |image| vec![image.update_time.into(), image.id.as_str().into()],
            },
            ImageSort::Size => Sorting {
                order: Order { name: "size", columns: &[Column::Integer("size_bytes"), ID], ascending },
                ascending: |a, b| (a.size_bytes, &a.id).cmp(&(b.size_bytes, &b.id)),
                place: |image| vec![image.size_bytes.into(), image.id.as_str().into()],
            },
            ImageSort::Name => Sorting {
                order: Order { name: "name", columns: &[Column::Text("name"), ID], ascending },
                ascending: |a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)),
                place: |image| vec![image.name.as_str().into(), image.id.as_str().into()],
            },
        }
    }
}
