//! Literals of programming languages.

/// A literal in double quotes as Python, Go, JavaScript and Java all read it.
pub(super) fn double_quoted(text: &str) -> String {
    // These languages all understand JSON's escapes.
    serde_json::Value::from(text).to_string()
}

/// A literal of PHP, where a dollar sign in double quotes would be a variable.
pub(super) fn single_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', r"\\").replace('\'', r"\'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_end_a_literal_is_escaped() {
        assert_eq!(double_quoted(r#"a"b\c$d"#), r#""a\"b\\c$d""#);
        assert_eq!(single_quoted(r#"a'b\c$d""#), r#"'a\'b\\c$d"'"#);
    }
}
