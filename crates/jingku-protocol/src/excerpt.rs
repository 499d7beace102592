/// The most characters of a name that an error repeats.
const EXCERPT_CHARS: usize = 64;

/// The start of a name, for an error: a hostile name may be megabytes long.
pub fn excerpt(name: &str) -> String {
    match name.char_indices().nth(EXCERPT_CHARS) {
        None => name.to_owned(),
        Some((end, _)) => format!("{}…", &name[..end]),
    }
}
