//! The overview that a bare `jingku` prints.

use crate::args::Global;
use crate::check::summary;
use crate::messages::tr;

/// The text, with the progress of the background scrub.
pub(crate) fn text(global: &Global) -> String {
    tr!("overview-screen", check = summary(global))
}
