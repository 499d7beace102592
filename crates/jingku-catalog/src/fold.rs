use unicode_normalization::UnicodeNormalization;

/// The form in which texts are searched: without differences of case, width or composition.
pub(crate) fn fold(text: &str) -> String {
    text.nfkc().flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_width_make_no_difference() {
        for (text, folded) in
            [("PyTorch", "pytorch"), ("ＰｙＴｏｒｃｈ　２", "pytorch 2"), ("ÉTÉ", "été"), ("镜库", "镜库")]
        {
            assert_eq!(fold(text), folded);
        }
    }
}
