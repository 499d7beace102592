### `jingku image import`.

import-stopped = Stopped.
import-stopped-waiting = Stopped waiting.
import-resumable = To resume, run the same command again within 24 hours. To discard the upload: { $command }
import-left-over = The unfinished image still exists. Delete it: { $command }
import-unbounded = { $name } is a raw disk from a pipe, and a raw disk has no end marker: if the writer fails, a truncated disk would become an image. Let Jingku run the writer: `jingku image import --name { $image } -- COMMAND…`. Or state what must arrive: `jingku image import { $name } --name { $image } --size BYTES`, or --blake3 HEX.
import-wrong-size = { $name } has { $read } bytes, but { $expected } are expected. Nothing was imported.
import-too-long = { $name } has more than the { $expected } bytes expected. Nothing was imported.
import-wrong-hash = The BLAKE3 hash of { $name } is not the expected one. Nothing was imported.
import-other-file = An import of another file uses this name, or { $name } has changed since that import started. Choose another name, or delete image { $id } first.
import-terminal = Cannot read a disk from a terminal. Redirect the input from a file or a program.
import-empty = { $name } is empty.
import-changed = { $name } changed while it was read, so the image would mix two states. Stop the writer and import again.
import-in-use = { $name } is in use: a virtual machine may be writing to it, or it is mounted. Stop the machine or unmount it, or import a snapshot instead.
import-producer-stuck = The command `{ $command }` closed its output but did not exit. Nothing was imported.
import-producer-failed = The command `{ $command }` failed ({ $status }). Nothing was imported.
