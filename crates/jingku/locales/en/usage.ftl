### `jingku usage`.

usage-none = No images.
usage-images = images
usage-trash = only in the trash
usage-garbage = garbage
usage-damaged = corrupted
usage-trashed = in the trash
usage-missing = Data is missing: { $chunks } chunks, and the manifests of { $images } images.
