//! Which container engine a server uses.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use jingku_library::Config;

use crate::failure::{Exit, Failure};
use crate::messages::tr;

/// The sockets that engines listen on by default.
const SOCKETS: [&str; 2] = ["/run/docker.sock", "/run/podman/podman.sock"];
/// The same below `XDG_RUNTIME_DIR`, for the engine of one user.
const USER_SOCKETS: [&str; 2] = ["docker.sock", "podman/podman.sock"];

/// Connects to no engine.
const NONE: &str = "none";

/// Sets the engine: the option, the configuration, `DOCKER_HOST`, or the first of the usual sockets that exists.
///
/// `DOCKER_HOST` is meant for other programs: if it names an engine over TCP or SSH, there is none.
pub(super) fn choose(option: Option<String>, config: &mut Config) -> Result<(), Failure> {
    let set = |text: &String| !text.is_empty();
    if let Some(url) = option.filter(set).or_else(|| config.containers.engine.take().filter(set)) {
        if url != NONE && !is_socket_url(&url) {
            return Err(Failure::new(Exit::Usage, tr!("serve-bad-engine", url)));
        }
        config.containers.engine = Some(url);
        return Ok(());
    }
    config.containers.engine = usual_engine(|name| std::env::var_os(name), is_socket);
    Ok(())
}

/// The engine that `DOCKER_HOST` names, or the first of the usual sockets that exists.
fn usual_engine(
    variable: impl Fn(&str) -> Option<OsString>,
    is_socket: impl Fn(&Path) -> bool,
) -> Option<String> {
    let of_docker = variable("DOCKER_HOST").and_then(|url| url.into_string().ok());
    if let Some(url) = of_docker.filter(|url| !url.is_empty()) {
        return Some(if is_socket_url(&url) { url } else { NONE.to_owned() });
    }
    let of_user = variable("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|folder| folder.is_absolute());
    let of_user = of_user.iter().flat_map(|folder| USER_SOCKETS.map(|name| folder.join(name)));
    let mut sockets = SOCKETS.map(PathBuf::from).into_iter().chain(of_user);
    sockets.find(|path| is_socket(path)).map(|path| format!("unix://{}", path.display()))
}

fn is_socket_url(url: &str) -> bool {
    url.strip_prefix("unix://").is_some_and(|path| path.starts_with('/'))
}

fn is_socket(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt;
    path.metadata().is_ok_and(|file| file.file_type().is_socket())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(variables: &[(&str, &str)], sockets: &[&str]) -> Option<String> {
        let variable = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value))
        };
        usual_engine(variable, |path| sockets.iter().any(|socket| path == Path::new(socket)))
    }

    #[test]
    fn the_variable_of_docker_comes_before_the_usual_sockets() {
        let sockets = ["/run/docker.sock", "/run/podman/podman.sock"];
        let with = |url| found(&[("DOCKER_HOST", url)], &sockets);
        assert_eq!(with("unix:///srv/engine.sock").unwrap(), "unix:///srv/engine.sock");
        for other in ["ssh://root@gpu-1", "tcp://127.0.0.1:2375", "/run/docker.sock"] {
            assert_eq!(with(other).unwrap(), NONE, "{other}");
        }
        assert_eq!(with("").unwrap(), "unix:///run/docker.sock");
    }

    #[test]
    fn usual_sockets_are_found_in_order() {
        let sockets = [
            "/run/docker.sock",
            "/run/podman/podman.sock",
            "/run/user/7/docker.sock",
            "/run/user/7/podman/podman.sock",
        ];
        let of_user = [("XDG_RUNTIME_DIR", "/run/user/7")];
        for (first, socket) in sockets.iter().enumerate() {
            assert_eq!(found(&of_user, &sockets[first..]).unwrap(), format!("unix://{socket}"));
        }
        assert_eq!(found(&of_user, &[]), None);
        assert_eq!(found(&[("XDG_RUNTIME_DIR", "")], &["docker.sock"]), None);
        assert_eq!(found(&[], &sockets[2..]), None);
    }
}
