//! `jingku image create --estimate`.

use compshare::actions::CreateCompShareCustomImageResponse;

use crate::args::Global;
use crate::failure::{Exit, Failure};
use crate::messages::tr;
use crate::output::{bytes, print_fields, print_json, warn};

/// Prints the estimate in a response.
pub(super) fn show(global: &Global, response: CreateCompShareCustomImageResponse) -> Result<(), Failure> {
    let Some(estimate) = response.estimate else {
        // The server ignored the parameter, so it makes the image.
        let id = response.comp_share_image_id;
        return Err(Failure::new(Exit::Refused, tr!("image-estimate-ignored", id)));
    };
    response.warnings.iter().for_each(|warning| warn(warning));
    if global.json {
        return print_json(&estimate);
    }
    let sampled = percent(estimate.sampled_bytes, estimate.size_bytes);
    let fits = if estimate.fits { tr!("image-estimate-fits-yes") } else { tr!("image-estimate-fits-no") };
    print_fields([
        (tr!("image-estimate-size"), bytes(estimate.size_bytes)),
        (tr!("image-estimate-new"), bytes(estimate.new_bytes)),
        (tr!("image-estimate-time"), tr!("image-estimate-seconds", seconds = estimate.seconds)),
        (tr!("image-estimate-sampled"), format!("{sampled}%")),
        (tr!("image-estimate-fits"), fits),
    ])
}

/// Whole percent, rounded down; 100 of nothing.
fn percent(part: u64, whole: u64) -> u128 {
    (u128::from(part) * 100).checked_div(u128::from(whole)).unwrap_or(100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_complete_only_at_the_end() {
        assert_eq!(
            [(0, 0), (0, 7), (999, 1000), (7, 7)].map(|(part, whole)| percent(part, whole)),
            [100, 0, 99, 100]
        );
    }
}
