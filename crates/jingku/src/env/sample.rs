//! A sample program for each SDK that lists your own images.

use crate::args::Sdk;
use crate::messages::tr;

// No `Debug`: it holds a private key.
pub(super) struct Access {
    pub(super) base_url: String,
    pub(super) public_key: String,
    pub(super) private_key: String,
    pub(super) region: String,
    pub(super) zone: String,
}

pub(super) fn of(sdk: Sdk, access: &Access) -> String {
    let (template, literal): (_, fn(&str) -> String) = match sdk {
        Sdk::Python => (include_str!("samples/list_images.py"), double_quoted),
        Sdk::Go => (include_str!("samples/list_images.go"), double_quoted),
        Sdk::Js => (include_str!("samples/list_images.js"), double_quoted),
        Sdk::Java => (include_str!("samples/ListImages.java"), double_quoted),
        Sdk::Php => (include_str!("samples/list_images.php"), single_quoted),
    };
    let call = r#"client.invoke("DescribeCompShareCustomImages", {"Limit": 20})"#;
    let marks = [
        ("{logger}", tr!("env-logger")),
        ("{untyped}", tr!("env-untyped")),
        ("{base_url}", literal(&access.base_url)),
        ("{public_key}", literal(&access.public_key)),
        ("{private_key}", literal(&access.private_key)),
        ("{region}", literal(&access.region)),
        ("{zone}", literal(&access.zone)),
        ("{typed}", tr!("env-typed", call)),
        ("{typed_only}", tr!("env-typed-only")),
        ("{retries}", tr!("env-retries")),
    ];
    fill(template, &marks)
}

/// Replaces marks by values from left to right. A value that looks like a mark is kept.
fn fill(mut template: &str, marks: &[(&str, String)]) -> String {
    let mut text = String::new();
    while let Some((at, (mark, value))) =
        marks.iter().filter_map(|mark| Some((template.find(mark.0)?, mark))).min_by_key(|(at, _)| *at)
    {
        text.push_str(&template[..at]);
        text.push_str(value);
        template = &template[at + mark.len()..];
    }
    text + template
}

/// A literal in double quotes as Python, Go, JavaScript and Java all read it.
fn double_quoted(text: &str) -> String {
    // These languages all understand JSON's escapes.
    serde_json::Value::from(text).to_string()
}

/// A literal of PHP, where a dollar sign in double quotes would be a variable.
fn single_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', r"\\").replace('\'', r"\'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_looks_like_a_mark_stays() {
        let marks = [("{a}", "{b}".to_owned()), ("{b}", "2".to_owned())];
        assert_eq!(fill("{b}{a} {c}", &marks), "2{b} {c}");
    }

    #[test]
    fn every_program_is_filled() {
        let name = |name: &str| format!("<{name}>");
        let access = Access {
            base_url: name("base"),
            public_key: name("public"),
            private_key: name("private"),
            region: name("region"),
            zone: name("zone"),
        };
        for sdk in [Sdk::Python, Sdk::Go, Sdk::Js, Sdk::Java, Sdk::Php] {
            let program = of(sdk, &access);
            for value in ["<base>", "<public>", "<private>", "<region>", "<zone>"] {
                assert!(program.contains(value), "{value} of {sdk:?}");
            }
            assert!(
                !program.contains("{t") && !program.contains("{r") && !program.contains("{z"),
                "{program}"
            );
        }
    }

    #[test]
    fn what_would_end_a_literal_is_escaped() {
        assert_eq!(double_quoted(r#"a"b\c$d"#), r#""a\"b\\c$d""#);
        assert_eq!(single_quoted(r#"a'b\c$d""#), r#"'a\'b\\c$d"'"#);
    }
}
