//! Texts of forms that become part of the catalogue or of a search in it.

/// The longest name of an account or a key, in characters.
pub(super) const NAME_CHARS_MAX: usize = 100;

/// A name of one line that is not too long. It may be empty.
pub(super) fn name(text: &str) -> Option<&str> {
    let fits = text.chars().count() <= NAME_CHARS_MAX && is_plain(text);
    fits.then_some(text)
}

/// Whether a text has no control characters, which a catalogue in PostgreSQL refuses in part.
pub(super) fn is_plain(text: &str) -> bool {
    !text.contains(char::is_control)
}

/// A text in one line.
pub(super) fn line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
