//! Which container engine a server uses.

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
    let of_docker = std::env::var("DOCKER_HOST").ok().filter(set);
    let of_docker = of_docker.map(|url| if is_socket_url(&url) { url } else { NONE.to_owned() });
    config.containers.engine = of_docker.or_else(|| {
        let of_user = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
        let of_user = of_user.iter().flat_map(|folder| USER_SOCKETS.map(|name| folder.join(name)));
        let mut sockets = SOCKETS.map(PathBuf::from).into_iter().chain(of_user);
        sockets.find(|path| is_socket(path)).map(|path| format!("unix://{}", path.display()))
    });
    Ok(())
}

fn is_socket_url(url: &str) -> bool {
    url.strip_prefix("unix://").is_some_and(|path| path.starts_with('/'))
}

fn is_socket(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt;
    path.metadata().is_ok_and(|file| file.file_type().is_socket())
}
