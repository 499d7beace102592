//! The language of messages, chosen once at the start.

use std::ffi::OsString;
use std::sync::OnceLock;

use clap::ValueEnum;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Lang {
    En,
    Zh,
}

static LANG: OnceLock<Lang> = OnceLock::new();

impl Lang {
    /// Uses `--lang` from the command line, else the locale. This runs before the arguments are parsed because help and
    /// parse errors need the language.
    pub(crate) fn init(args: &[OsString]) {
        // The rest belongs to the command of `jingku run`.
        let args = || args.iter().filter_map(|arg| arg.to_str()).take_while(|arg| *arg != "--");
        let after_flag = args().skip_while(|arg| *arg != "--lang").nth(1);
        let joined = args().find_map(|arg| arg.strip_prefix("--lang="));
        let lang = after_flag.or(joined).map_or_else(Self::from_locale, Self::of);
        LANG.get_or_init(|| lang);
    }

    pub(crate) fn current() -> Self {
        *LANG.get_or_init(Self::from_locale)
    }

    /// The first variable that is set decides, as in POSIX.
    fn from_locale() -> Self {
        let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let name = ["JINGKU_LANG", "LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(set);
        name.map_or(Self::En, |name| Self::of(&name))
    }

    fn of(name: &str) -> Self {
        if name.to_ascii_lowercase().starts_with("zh") { Self::Zh } else { Self::En }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locales_name_their_language() {
        assert_eq!(Lang::of("zh_CN.UTF-8"), Lang::Zh);
        assert_eq!(Lang::of("zh"), Lang::Zh);
        assert_eq!(Lang::of("en_US.UTF-8"), Lang::En);
        assert_eq!(Lang::of("C"), Lang::En);
    }
}
