//! What a bare `jingku` prints: one screen, grouped by task.

use crate::args::Global;
use crate::check::summary;
use crate::messages::tr;

/// The screen, with how far the server of the data folder is with reading everything.
pub(crate) fn text(global: &Global) -> String {
    tr!("overview-screen", check = summary(global))
}
