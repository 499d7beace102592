//! Arbitrary bytes as a request.

use jingku_protocol::{MAX_PARAMS, Params, Value, decode, string_to_sign, verify};

/// The query, a line feed, the content type, a line feed, and the body.
pub(crate) fn run(input: &[u8]) {
    let mut parts = input.splitn(3, |byte| *byte == b'\n');
    let mut text = || parts.next().and_then(|part| std::str::from_utf8(part).ok());
    let (query, content_type) = (text(), text());
    let Ok(params) = decode(query, content_type, parts.next().unwrap_or_default()) else { return };
    let values: usize = params.iter().map(|(_, value)| values(value)).sum();
    assert!(values <= MAX_PARAMS, "{values} values");
    let mut names: Vec<&str> = params.iter().map(|(name, _)| name).collect();
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "a duplicate name");

    // The signature matches with its key and with no other.
    let signed = jingku_protocol::sign_request(params.clone(), "public", "private");
    let signature = signed.get_text("Signature").expect("it was set").to_owned();
    assert!(verify(&signed, "private", &signature) && !verify(&signed, "private2", &signature));

    // Text parameters survive encoding as a form.
    let texts = texts(&params);
    let form = texts.to_form();
    if texts.iter().count() == params.iter().count() && form.len() < 1 << 16 {
        let again = decode(None, Some("application/x-www-form-urlencoded"), form.as_bytes());
        let again = again.unwrap_or_else(|error| panic!("{error}: {form}"));
        assert_eq!(string_to_sign(&again), string_to_sign(&params), "{form}");
    }
}

fn values(value: &Value) -> usize {
    match value {
        Value::List(items) => items.iter().map(values).sum(),
        Value::Map(members) => members.iter().map(|(_, member)| values(member)).sum(),
        _ => 1,
    }
}

fn texts(params: &Params) -> Params {
    let mut texts = Params::default();
    for (name, value) in params.iter() {
        if matches!(value, Value::Text(_)) {
            texts.set(name, value.clone());
        }
    }
    texts
}
