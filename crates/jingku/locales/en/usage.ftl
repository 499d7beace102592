### `jingku usage` and `jingku image usage`.

usage-none = No images.
usage-images = images
usage-trash = only in the trash
usage-garbage = garbage
usage-damaged = corrupted
usage-trashed = in the trash
usage-missing = Data is missing: { $chunks } chunks, and the manifests of { $images } images.
usage-not-measured = The images are measured within minutes of the first one, and then once a day.
usage-image-not-measured = The image has not been measured yet. Images are measured within an hour or so.
usage-others = { $count ->
    [one] One other image has { $stored } of data.
   *[other] { $count } other images have { $stored } of data.
}
usage-measured = Measured at { $time }, before compression: { $stored } of data, of which only the trash needs { $trash }.
