//! Passwords in a file, as libpq reads them: <https://www.postgresql.org/docs/current/libpq-pgpass.html>.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tokio_postgres::Config;
use tokio_postgres::config::Host;

/// Permissions of a group or of others.
const OTHERS: u32 = 0o077;

/// Sets the password of `config` from a line of the file that matches its first server, if it has none.
///
/// A missing file is like an empty one. A file that others may read is refused.
pub(super) fn apply(config: &mut Config, path: &Path) -> io::Result<()> {
    if config.get_password().is_some() {
        return Ok(());
    }
    let mode = match path.metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        found => found?.permissions().mode(),
    };
    if mode & OTHERS != 0 {
        let why = format!("others can access {} (mode {:o}); run chmod 600", path.display(), mode & 0o777);
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
    }
    let host = match config.get_hosts().first() {
        Some(Host::Tcp(host)) => host.as_str(),
        // libpq looks sockets up by this name.
        Some(Host::Unix(_)) | None => "localhost",
    };
    let port = config.get_ports().first().copied().unwrap_or(5432).to_string();
    let user = config.get_user().unwrap_or_default();
    let asked = [host, &port, config.get_dbname().unwrap_or(user), user];
    let password = find(&fs::read_to_string(path)?, asked);
    if let Some(password) = password {
        config.password(password);
    }
    Ok(())
}

/// The password of the first line that matches host, port, database and user.
fn find(text: &str, asked: [&str; 4]) -> Option<String> {
    text.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let mut fields = fields(line).into_iter();
        let matches =
            asked.iter().all(|asked| fields.next().is_some_and(|field| field == "*" || field == *asked));
        if matches { fields.next() } else { None }
    })
}

/// The fields between colons. A backslash escapes the next character.
fn fields(line: &str) -> Vec<String> {
    let (mut fields, mut characters) = (vec![String::new()], line.chars());
    while let Some(character) = characters.next() {
        let field = fields.last_mut().expect("there is always one");
        match character {
            '\\' => field.extend(characters.next()),
            ':' => fields.push(String::new()),
            other => field.push(other),
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_matching_line_has_the_password() {
        let text = "# comment\nother:5432:*:*:wrong\ndb:*:images:jingku:a\\:b\\\\c\n*:*:*:*:last\nshort:1\n";
        assert_eq!(find(text, ["db", "5432", "images", "jingku"]).as_deref(), Some("a:b\\c"));
        assert_eq!(find(text, ["db", "5432", "images", "root"]).as_deref(), Some("last"));
        assert_eq!(find("short:1\n", ["short", "1", "x", "x"]), None);
    }
}
