//! What a request that comes twice is known by.

use jingku_protocol::Params;

/// Names a signed request. The same parameters have the same name, whichever order or spelling they came in; another key
/// pair or signature makes another request.
pub(crate) fn name_request(params: &Params) -> String {
    let mut parameters: Vec<_> = params.iter().collect();
    parameters.sort_unstable_by_key(|(name, _)| *name);
    let mut sorted = Params::default();
    for (name, value) in parameters {
        sorted.set(name, value.clone());
    }
    blake3::hash(sorted.to_form().as_bytes()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_parameters_are_the_same_request() {
        let request = |source: &str, name: &str| {
            Params::for_action("CopyCompShareCustomImage").text("A", Some(source)).text("B", Some(name))
        };
        let one = name_request(&request("1", "2"));
        assert_eq!(
            name_request(
                &Params::default()
                    .text("B", Some("2"))
                    .text("A", Some("1"))
                    .text("Action", Some("CopyCompShareCustomImage"))
            ),
            one
        );
        // Signed, these two would be one text.
        assert_ne!(name_request(&request("1B2", "")), name_request(&request("1", "2B")));
        assert_ne!(name_request(&request("1", "3")), one);
        assert_eq!(one.len(), 64);
    }
}
