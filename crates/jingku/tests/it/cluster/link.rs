//! A network link that can be cut, fall silent, or slow down.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// How often a connection looks at the state of its link.
const LOOK: Duration = Duration::from_millis(10);

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Up,
    /// Connections end, and new ones are closed at once.
    Cut,
    /// Connections stay, but nothing arrives.
    Silent,
    /// Every piece arrives later by this time.
    Slow(Duration),
}

#[derive(Clone)]
enum Target {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

/// A port of the loopback address that leads to a server.
pub(super) struct Link {
    port: u16,
    state: Arc<Mutex<State>>,
}

impl Link {
    /// A link to the server of a database on a socket. Also returns the URL over it.
    pub(super) fn to_database(url: &str) -> (Self, String) {
        let (start, rest) = url.split_once("?host=").unwrap();
        let (folder, _) = rest.split_once('&').unwrap();
        let link = Self::start(Target::Unix(PathBuf::from(folder).join(".s.PGSQL.5432")));
        let database = start.rsplit_once('/').unwrap().1;
        let url = format!("postgresql://jingku@127.0.0.1:{}/{database}", link.port);
        (link, url)
    }

    /// A link to an object store. Also returns the endpoint over it.
    pub(super) fn to_bucket(port: u16) -> (Self, String) {
        let link = Self::start(Target::Tcp(SocketAddr::from(([127, 0, 0, 1], port))));
        let endpoint = format!("http://127.0.0.1:{}", link.port);
        (link, endpoint)
    }

    pub(super) fn set(&self, state: State) {
        *self.state.lock().unwrap() = state;
    }

    fn start(target: Target) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State::Up));
        let shared = Arc::clone(&state);
        // It ends with the process.
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if *shared.lock().unwrap() != State::Cut {
                    // A server that does not answer is what the test wants.
                    let _ = connect(client, &target, &shared);
                }
            }
        });
        Self { port, state }
    }
}

fn connect(client: TcpStream, target: &Target, state: &Arc<Mutex<State>>) -> io::Result<()> {
    client.set_read_timeout(Some(LOOK))?;
    client.set_nodelay(true)?;
    match target {
        Target::Tcp(address) => {
            let server = TcpStream::connect(address)?;
            server.set_read_timeout(Some(LOOK))?;
            server.set_nodelay(true)?;
            let end = |stream: TcpStream| move || drop(stream.shutdown(Shutdown::Both));
            pass(client.try_clone()?, server.try_clone()?, state, end(server.try_clone()?));
            pass(server, client.try_clone()?, state, end(client));
        }
        Target::Unix(path) => {
            let server = UnixStream::connect(path)?;
            server.set_read_timeout(Some(LOOK))?;
            let (one, other) = (server.try_clone()?, client.try_clone()?);
            pass(client.try_clone()?, server.try_clone()?, state, move || drop(one.shutdown(Shutdown::Both)));
            pass(server, client, state, move || drop(other.shutdown(Shutdown::Both)));
        }
    }
    Ok(())
}

/// Passes bytes on in one direction, on a thread of its own.
fn pass(
    mut from: impl Read + Send + 'static,
    mut to: impl Write + Send + 'static,
    state: &Arc<Mutex<State>>,
    end: impl FnOnce() + Send + 'static,
) {
    let state = Arc::clone(state);
    thread::spawn(move || {
        let mut piece = vec![0; 64 << 10];
        loop {
            let now = *state.lock().unwrap();
            match now {
                State::Cut => break,
                State::Silent => {
                    thread::sleep(LOOK);
                    continue;
                }
                State::Up | State::Slow(_) => {}
            }
            let read = match from.read(&mut piece) {
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => continue,
                Ok(0) | Err(_) => break,
                Ok(read) => read,
            };
            if let State::Slow(delay) = now {
                thread::sleep(delay);
            }
            if to.write_all(&piece[..read]).is_err() {
                break;
            }
        }
        end();
    });
}
