//! Files that usually hold credentials, or what somebody typed.

/// Paths below a home directory. A `*` stands for any name.
const NAMES: &[&str] = &[
    ".ssh/id_*",
    ".aws/credentials",
    ".azure/accessTokens.json",
    ".azure/msal_token_cache.json",
    ".boto",
    ".cache/huggingface/stored_tokens",
    ".cache/huggingface/token",
    ".compshare/credentials",
    ".cargo/credentials",
    ".cargo/credentials.toml",
    ".config/containers/auth.json",
    ".config/gcloud/access_tokens.db",
    ".config/gcloud/application_default_credentials.json",
    ".config/gcloud/credentials.db",
    ".config/gh/hosts.yml",
    ".config/git/credentials",
    ".config/hub",
    ".config/rclone/rclone.conf",
    ".docker/config.json",
    ".gem/credentials",
    ".git-credentials",
    ".gnupg/private-keys-v1.d/*",
    ".gnupg/secring.gpg",
    ".huggingface/token",
    ".kaggle/kaggle.json",
    ".kube/config",
    ".modelscope/credentials/*",
    ".my.cnf",
    ".netrc",
    ".npmrc",
    ".ossutilconfig",
    ".pgpass",
    ".pypirc",
    ".s3cfg",
    ".terraform.d/credentials.tfrc.json",
    ".ucloud/credential.json",
    ".vault-token",
    ".ash_history",
    ".bash_history",
    ".history",
    ".ipython/profile_default/history.sqlite",
    ".local/share/fish/fish_history",
    ".mysql_history",
    ".node_repl_history",
    ".psql_history",
    ".python_history",
    ".sh_history",
    ".sqlite_history",
    ".zsh_history",
];

/// Whether a file holds a secret by its path.
pub(super) fn is_secret_path(path: &[u8]) -> bool {
    let Some(below_home) = below_home(path) else { return false };
    !below_home.ends_with(b".pub")
        && NAMES.iter().any(|name| match name.strip_suffix('*') {
            Some(start) => {
                below_home.strip_prefix(start.as_bytes()).is_some_and(|rest| !rest.contains(&b'/'))
            }
            None => below_home == name.as_bytes(),
        })
}

/// Whether a file must be looked into to know.
pub(super) fn may_be_key(path: &[u8]) -> bool {
    let below_home = below_home(path);
    // Keys of SSH may have any name.
    below_home.is_some_and(|path| path.starts_with(b".ssh/"))
        || (below_home.is_some() || path.starts_with(b"etc/ssl/private/"))
            && (path.ends_with(b".pem") || path.ends_with(b".key"))
}

/// Whether the content is a private key.
pub(super) fn is_private_key(content: &[u8]) -> bool {
    content.windows(12).any(|window| window == b"PRIVATE KEY-")
        || content.starts_with(b"PuTTY-User-Key-File-")
}

fn below_home(path: &[u8]) -> Option<&[u8]> {
    if let Some(rest) = path.strip_prefix(b"root/") {
        return Some(rest);
    }
    let rest = path.strip_prefix(b"home/")?;
    let end = rest.iter().position(|byte| *byte == b'/')?;
    Some(&rest[end + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_known_by_path() {
        for path in [
            "root/.ssh/id_ed25519",
            "home/ada/.ssh/id_rsa",
            "root/.cache/huggingface/token",
            "root/.bash_history",
        ] {
            assert!(is_secret_path(path.as_bytes()), "{path}");
        }
        for path in [
            "root/.ssh/id_ed25519.pub",
            "root/.ssh/known_hosts",
            "srv/.netrc",
            "home/.netrc",
            "root/a/.netrc",
        ] {
            assert!(!is_secret_path(path.as_bytes()), "{path}");
        }
    }

    #[test]
    fn only_private_keys_are_secret() {
        assert!(may_be_key(b"root/.ssh/work"));
        assert!(may_be_key(b"root/tls/server.pem") && !may_be_key(b"usr/lib/python3/test/key.pem"));
        assert!(is_private_key(b"-----BEGIN RSA PRIVATE KEY-----\n"));
        assert!(!is_private_key(b"-----BEGIN CERTIFICATE-----\n"));
    }
}
