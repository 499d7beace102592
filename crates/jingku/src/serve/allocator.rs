//! What the allocator keeps of freed memory.
//!
//! By itself glibc raises the size from which a piece of memory is given back, up to 32 MiB, as it sees larger pieces
//! freed, and then keeps twice as much for every thread. Anybody may send requests of megabytes, so that is fixed here.
//! It is read from the environment as a process starts, and from nowhere else without unsafe code.

use std::env;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// From this size on memory is given back when it is freed, in bytes: just above a chunk with its head, of which the
/// making of an image needs thousands.
const MMAP_THRESHOLD: (&str, u64) = ("MALLOC_MMAP_THRESHOLD_", (4 << 20) + (64 << 10));
/// What is kept of freed memory in one place, in bytes.
const TRIM_THRESHOLD: (&str, u64) = ("MALLOC_TRIM_THRESHOLD_", 4 << 20);
/// How many such places there are. Threads share them.
const ARENAS_MAX: (&str, u64) = ("MALLOC_ARENA_MAX", 4);

/// Starts this program anew, as the same process, with an allocator that keeps little. Does nothing when the environment
/// says what to keep, as it does the second time.
pub(crate) fn keep_little() {
    if env::var_os(MMAP_THRESHOLD.0).is_some() {
        return;
    }
    let Ok(program) = env::current_exe() else { return };
    let mut arguments = env::args_os();
    let mut command = Command::new(program);
    if let Some(name) = arguments.next() {
        command.arg0(name);
    }
    for (name, value) in [MMAP_THRESHOLD, TRIM_THRESHOLD, ARENAS_MAX] {
        command.env(name, value.to_string());
    }
    // Comes back only when it failed. Then the server runs as it is.
    let _ = command.args(arguments).exec();
}
