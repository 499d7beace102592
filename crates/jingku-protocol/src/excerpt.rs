/// The most characters of what a caller named that an error repeats.
const EXCERPT_CHARS: usize = 64;

/// What a caller named, as an error repeats it: a hostile name may be megabytes long.
pub fn excerpt(name: &str) -> String {
    match name.char_indices().nth(EXCERPT_CHARS) {
        None => name.to_owned(),
        Some((end, _)) => format!("{}…", &name[..end]),
    }
}
