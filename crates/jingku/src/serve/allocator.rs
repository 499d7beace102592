//! Limits the freed memory that the allocator keeps.
//!
//! By default glibc raises its mmap threshold up to 32 MiB as larger blocks are freed, and then keeps twice as much per
//! thread. Any client may send requests of megabytes, so the threshold is fixed here. glibc reads it from the
//! environment at the start of the process; any other way needs unsafe code.

use std::env;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Blocks from this size on, in bytes, are returned to the system when freed: just above a chunk with its header, of
/// which image creation needs thousands.
const MMAP_THRESHOLD: (&str, u64) = ("MALLOC_MMAP_THRESHOLD_", (4 << 20) + (64 << 10));
/// How much freed memory an arena keeps, in bytes.
const TRIM_THRESHOLD: (&str, u64) = ("MALLOC_TRIM_THRESHOLD_", 4 << 20);
/// The number of arenas, which threads share.
const ARENAS_MAX: (&str, u64) = ("MALLOC_ARENA_MAX", 4);

/// Restarts this program in the same process with these limits. Does nothing if the environment already sets them, as
/// it does the second time.
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
    command.envs([MMAP_THRESHOLD, TRIM_THRESHOLD, ARENAS_MAX].map(|(name, value)| (name, value.to_string())));
    // Returns only on failure. Then the server runs without the limits.
    let _ = command.args(arguments).exec();
}
