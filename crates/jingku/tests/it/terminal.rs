//! A terminal of a given width, as a person has it in front of them.

use std::fs::File;
use std::io::Read;
use std::thread;

use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::home::Home;
use crate::server::wait;

/// What a command shows on a terminal `columns` wide, and its exit code.
pub(crate) fn show(home: &Home, args: &[&str], columns: u16) -> (String, Option<i32>) {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    let slave = open(name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
    tcsetwinsize(&slave, Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
    // In a session of its own, or the width would be that of the terminal the tests run in.
    let mut command = home.other_command("setsid", &[&[env!("CARGO_BIN_EXE_jingku")], args].concat());
    command.env("TERM", "xterm").stdout(slave.try_clone().unwrap()).stderr(slave);
    let mut child = command.spawn().unwrap();
    // It holds the terminal open as the child does.
    drop(command);
    let screen = thread::spawn(move || {
        let (mut master, mut shown) = (File::from(master), Vec::new());
        // Reading ends with an error when the last writer has gone.
        let _ = master.read_to_end(&mut shown);
        String::from_utf8(shown).unwrap()
    });
    let code = wait(&mut child).code();
    (screen.join().unwrap(), code)
}

/// Columns a line takes on a terminal, where a Chinese character takes two.
pub(crate) fn width(line: &str) -> usize {
    line.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum()
}
