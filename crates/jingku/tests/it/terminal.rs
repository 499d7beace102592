//! A terminal of a given width.

use std::fs::File;
use std::io::{Read, Write};
use std::process::Child;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::home::{Home, until};
use crate::server::wait;

/// What a command shows on a terminal `columns` wide, and its exit code.
pub(crate) fn show(home: &Home, args: &[&str], columns: u16) -> (String, Option<i32>) {
    let mut terminal = Terminal::start(home, args, columns);
    let code = wait(&mut terminal.child).code();
    (terminal.screen.join().unwrap(), code)
}

/// The same, with these keys typed as soon as some words are on the screen.
pub(crate) fn type_at(home: &Home, args: &[&str], words: &str, keys: &[u8]) -> (String, Option<i32>) {
    let mut terminal = Terminal::start(home, args, 80);
    until(words, || String::from_utf8_lossy(&terminal.shown.lock().unwrap()).contains(words));
    terminal.master.write_all(keys).unwrap();
    let code = wait(&mut terminal.child).code();
    (terminal.screen.join().unwrap(), code)
}

/// A command on its own terminal.
struct Terminal {
    master: File,
    child: Child,
    /// The output so far.
    shown: Arc<Mutex<Vec<u8>>>,
    screen: JoinHandle<String>,
}

impl Terminal {
    fn start(home: &Home, args: &[&str], columns: u16) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let slave = open(name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
        tcsetwinsize(&slave, Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
        // In a new session, or width and keys would be those of the terminal that runs the tests. Tests that run in the
        // background may ignore the signal, and what they start with them.
        let session = ["--default-signal=INT", "setsid", "--ctty", env!("CARGO_BIN_EXE_jingku")];
        let mut command = home.other_command("env", &[&session[..], args].concat());
        let [stdin, stdout] = [(); 2].map(|()| slave.try_clone().unwrap());
        command.env("TERM", "xterm").stdin(stdin).stdout(stdout).stderr(slave);
        let child = command.spawn().unwrap();
        // It holds the terminal open, like the child.
        drop(command);
        let (master, shown) = (File::from(master), Arc::new(Mutex::new(Vec::new())));
        let (mut reader, screen) = (master.try_clone().unwrap(), Arc::clone(&shown));
        let screen = thread::spawn(move || {
            let mut bytes = [0; 4096];
            // Reading fails when the last writer has ended.
            while let Ok(read @ 1..) = reader.read(&mut bytes) {
                screen.lock().unwrap().extend(&bytes[..read]);
            }
            String::from_utf8(screen.lock().unwrap().clone()).unwrap()
        });
        Self { master, child, shown, screen }
    }
}

/// Columns of a line on a terminal; a Chinese character has two.
pub(crate) fn width(line: &str) -> usize {
    line.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum()
}
