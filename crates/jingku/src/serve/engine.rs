//! Which container engine a server uses.

use std::path::{Path, PathBuf};

use jingku_library::Config;

/// The sockets that engines listen on by default.
const SOCKETS: [&str; 2] = ["/run/docker.sock", "/run/podman/podman.sock"];
/// The same below `XDG_RUNTIME_DIR`, for the engine of one user.
const USER_SOCKETS: [&str; 2] = ["docker.sock", "podman/podman.sock"];

/// Sets the engine: the option, the configuration, `DOCKER_HOST`, or the first of the usual sockets that exists.
pub(super) fn choose(option: Option<String>, config: &mut Config) {
    let set = |text: &String| !text.is_empty();
    let named = option.filter(set).or(config.containers.engine.take().filter(set));
    let named = named.or_else(|| std::env::var("DOCKER_HOST").ok().filter(set));
    config.containers.engine = named.or_else(|| {
        let of_user = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
        let of_user = of_user.iter().flat_map(|folder| USER_SOCKETS.map(|name| folder.join(name)));
        let mut sockets = SOCKETS.map(PathBuf::from).into_iter().chain(of_user);
        sockets.find(|path| is_socket(path)).map(|path| format!("unix://{}", path.display()))
    });
}

fn is_socket(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt;
    path.metadata().is_ok_and(|file| file.file_type().is_socket())
}
