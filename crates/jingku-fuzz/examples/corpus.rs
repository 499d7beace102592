//! Regenerates `/fuzz/corpus`: `cargo run -p jingku-fuzz --example corpus`. Needs `qemu-img` and `qemu-io`.

use std::fs;
use std::io;

use jingku_fuzz::corpus;

fn main() -> io::Result<()> {
    let inputs = [
        ("archive", corpus::archives()),
        ("chunk", corpus::chunks()?),
        ("disk", corpus::disks()),
        ("manifest", corpus::manifests()),
        ("qcow2", corpus::images()?),
        ("request", corpus::requests()),
        ("tree", corpus::trees()),
    ];
    for (target, inputs) in inputs {
        let folder = corpus::folder(target);
        fs::create_dir_all(&folder)?;
        for (name, bytes) in inputs {
            fs::write(folder.join(name), bytes)?;
        }
    }
    Ok(())
}
