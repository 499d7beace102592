mod change;
mod create;
mod filter;
mod order;
mod page;
mod progress;
mod row;
mod seed;

pub use change::{DeleteImage, ImageChanges, UpdateImage};
pub(crate) use change::{state, update};
pub use create::{CreateImage, NewImage, NewJob};
pub use filter::ImageFilter;
pub use order::{ImageOrder, ImageSort};
pub use progress::Progress;
pub(crate) use row::{COLUMNS, image_cells};
pub use row::{Image, ImageStatus};
pub use seed::{SeedImage, SeedImages};
