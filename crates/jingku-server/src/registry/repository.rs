//! Names of repositories.

/// How the id of an image starts, and how it is written in a repository, which has no capitals.
const ID_START: (&str, &str) = ("compshareImage-", "compshareimage-");
/// The longest tag, in bytes.
const TAG_BYTES_MAX: usize = 128;

/// The repository of one image: `ACCOUNT/NAME`, or `ACCOUNT/ID` with the id in small letters.
///
/// The name can be used if it is one component of a repository's name: small letters and digits, in words that `.`, `_`,
/// `__` or hyphens join. The id can always be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Repository<'a> {
    pub(crate) account: i64,
    pub(crate) name: &'a str,
}

impl<'a> Repository<'a> {
    /// Reads the name of a repository; `None` if no image can have it.
    pub(crate) fn parse(name: &'a str) -> Option<Self> {
        let (account, name) = name.split_once('/')?;
        let is_number = account.bytes().all(|byte| byte.is_ascii_digit());
        let account = account.parse().ok().filter(|_| is_number)?;
        is_component(name).then_some(Self { account, name })
    }

    /// The repository to show for an image.
    pub(crate) fn of(account: i64, name: &str, image_id: &str) -> String {
        let is_id = name.starts_with(ID_START.1);
        let name = if is_component(name) && !is_id { name.to_owned() } else { image_id.to_ascii_lowercase() };
        format!("{account}/{name}")
    }

    /// The id of the image, if the repository is named by it.
    pub(crate) fn image_id(&self) -> Option<String> {
        Some(format!("{}{}", ID_START.0, self.name.strip_prefix(ID_START.1)?))
    }
}

/// Whether this is one component of a repository's name: distribution-spec 1.1, "Pulling manifests".
fn is_component(name: &str) -> bool {
    let is_word = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends = |byte: Option<&u8>| byte.is_some_and(is_word);
    let bytes = name.as_bytes();
    let joins = bytes.split(is_word).filter(|join| !join.is_empty());
    ends(bytes.first())
        && ends(bytes.last())
        && joins
            .into_iter()
            .all(|join| matches!(join, b"." | b"_" | b"__") || join.iter().all(|byte| *byte == b'-'))
}

/// Whether a version can be a tag.
pub(super) fn is_tag(version: &str) -> bool {
    let may_start = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let bytes = version.as_bytes();
    bytes.first().is_some_and(may_start)
        && bytes.len() <= TAG_BYTES_MAX
        && bytes.iter().all(|byte| may_start(byte) || matches!(byte, b'.' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_named_by_its_name_or_its_id() {
        let id = "compshareImage-1minbz219ceq";
        for name in ["torch", "torch-2.3", "a_b", "a__b", "a---b", "0"] {
            assert_eq!(Repository::of(7, name, id), format!("7/{name}"));
            assert_eq!(Repository::parse(&format!("7/{name}")), Some(Repository { account: 7, name }));
        }
        for name in ["Torch", "训练", "a.", "-a", "a..b", "a:b", "a,b", "compshareimage-1"] {
            assert_eq!(Repository::of(7, name, id), "7/compshareimage-1minbz219ceq", "{name}");
        }
        let by_id = Repository::parse("7/compshareimage-1minbz219ceq").unwrap();
        assert_eq!(by_id.image_id().as_deref(), Some(id));
        assert_eq!(Repository::parse("7/torch").unwrap().image_id(), None);
        for name in ["torch", "x/torch", "7/", "7/a/b", "-7/a", "+7/a", "7/Torch", "99999999999999999999/a"] {
            assert_eq!(Repository::parse(name), None, "{name}");
        }
    }

    #[test]
    fn a_version_may_be_a_tag() {
        assert!(is_tag("v1.0") && is_tag("_x-1"));
        assert!(!is_tag("") && !is_tag(".1") && !is_tag("版本") && !is_tag(&"v".repeat(129)));
    }
}
