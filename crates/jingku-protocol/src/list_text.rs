//! Lists that a client printed into one text.

use serde_json::Value as Json;

/// The list that a text is: `["a", "b"]` in JSON, `['a', 'b']` as Python prints it, any other text as a list of one,
/// and an empty text as an empty list. `None` for a list whose elements are not texts.
pub(crate) fn list_of_text(text: &str) -> Option<Vec<String>> {
    let trimmed = text.trim();
    let Some(inner) = trimmed.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) else {
        return Some(if text.is_empty() { Vec::new() } else { vec![text.to_owned()] });
    };
    match serde_json::from_str::<Vec<Json>>(trimmed) {
        Ok(elements) => elements.into_iter().filter(|element| !element.is_null()).map(json_text).collect(),
        Err(_) => python_list(inner),
    }
}

fn json_text(element: Json) -> Option<String> {
    match element {
        Json::String(text) => Some(text),
        Json::Number(_) | Json::Bool(_) => Some(element.to_string()),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}

/// The elements of a Python list, as `str` prints them. A comma inside quotes is text.
fn python_list(inner: &str) -> Option<Vec<String>> {
    let mut elements = Vec::new();
    let mut rest = inner.trim();
    while !rest.is_empty() {
        let quote = rest.chars().next().filter(|first| matches!(first, '\'' | '"'));
        let (element, behind) = if let Some(quote) = quote {
            quoted(&rest[1..], quote)?
        } else {
            let end = rest.find(',').unwrap_or(rest.len());
            (rest[..end].trim().to_owned(), &rest[end..])
        };
        // A nested list or dictionary is not a text.
        if quote.is_none() && element.contains(['[', ']', '{', '}']) {
            return None;
        }
        if !element.is_empty() {
            elements.push(element);
        }
        rest = match behind.trim_start().strip_prefix(',') {
            Some(next) => next.trim_start(),
            None if behind.trim().is_empty() => "",
            None => return None,
        };
    }
    Some(elements)
}

/// The text before the closing quote, and the rest after it. A backslash keeps the character after it: Python
/// escapes quotes and backslashes so; other escapes stand for characters that no word of this API has.
fn quoted(text: &str, quote: char) -> Option<(String, &str)> {
    let mut element = String::new();
    let mut chars = text.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '\\' => element.push(chars.next()?.1),
            _ if char == quote => return Some((element, &text[at + 1..])),
            _ => element.push(char),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printed_lists_are_read() {
        for (text, expected) in [
            ("", &[][..]),
            ("[]", &[]),
            ("a", &["a"]),
            ("[a", &["[a"]),
            (r#"["a","b"]"#, &["a", "b"]),
            (r#"[1, true, null, "a,b"]"#, &["1", "true", "a,b"]),
            ("['a', 'b']", &["a", "b"]),
            ("['a, b', \"it's\"]", &["a, b", "it's"]),
            (r"['it\'s', 'a\\b']", &["it's", r"a\b"]),
            ("[a, 2,]", &["a", "2"]),
        ] {
            assert_eq!(list_of_text(text).unwrap(), expected, "{text}");
        }
        for text in [r#"[["a"]]"#, r#"[{"a":"b"}]"#, "[['a']]", "[{'a': 'b'}]", "['a' 'b']", "['a]"] {
            assert_eq!(list_of_text(text), None, "{text}");
        }
    }
}
