mod change;
mod copy;
mod create;
mod filter;
mod order;
mod page;
mod progress;
mod row;
mod seed;

pub use change::{DeleteImage, ImageChanges, UpdateImage};
pub use copy::{CopyImage, CopySource, NewCopy};
pub use create::{CreateImage, NewImage, NewJob};
pub use filter::ImageFilter;
pub use order::{ImageOrder, ImageSort};
pub use progress::Progress;
pub use row::{Image, ImageStatus};
pub use seed::{SeedImage, SeedImages};
