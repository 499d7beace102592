### `jingku image`, but for import.

image-none = No images.
image-some = { $shown } of { $total } images
image-missing = There is no image { $id }.
image-updated = Updated.
image-deleted = Deleted.
image-restored = { $count ->
    [one] Restored { $count } image, private.
   *[other] Restored { $count } images, private.
}
image-purged = { $count ->
    [one] Permanently removed { $count } image.
   *[other] Permanently removed { $count } images.
}
image-field-id = ID
image-field-name = Name
image-field-status = Status
image-field-reason = Reason
image-field-size = Size
image-field-zone = Zone
image-field-created = Created
image-field-tags = Tags
image-field-gpu = GPU
image-field-cover = Cover
image-field-description = Description
image-field-pull = Pull with
image-field-left-out = Left out
image-field-read-from = Read from
image-field-secrets = Possible secrets
image-paths-more = Only { $shown } paths of each kind are shown; --json lists more.
image-secret = { $path } (may be a secret)
image-pull = To pull it, after `podman login`: { $command }

image-cover-size = { $path } is empty or larger than 4 MiB.
image-cover-limits = A cover must be a PNG, JPEG, WebP or GIF of at most 512 KiB and 4096 x 4096 pixels.
image-link-note = Anyone with this link can download the image until { $time }.

image-estimate-size = To read
image-estimate-new = New data
image-estimate-time = Time
image-estimate-seconds = about { $seconds } s
image-estimate-sampled = Sampled
image-estimate-fits = Fits
image-estimate-fits-yes = yes
image-estimate-fits-no = no
image-estimate-ignored = The server does not support --estimate and is creating the image { $id }. Delete it if you do not want it.
image-started = Creating the image. To follow it: { $command }
image-detached = Stopped waiting; the server is still creating the image. To follow it: { $command }
image-available = { $id } is available: { $name } ({ $size })
image-failed = Failed: { $reason }
image-progress = { $status } { $percent }%, { $seconds } s left
image-bar-left = { $time } left
image-bar-present = { $size } already present

image-export-terminal = Cannot write a disk to a terminal. Redirect the output to a file or a program.
image-export-exists = { $path } already exists. Choose another file.
image-export-stopped = Stopped; no file was written.
image-export-no-size = The server did not send the size of the image.
image-export-cut = The transfer stopped after { $received } of { $length } bytes; no file was written. See the server log.
image-export-documents = The documents of the image cannot be read: { $error }
image-export-disk = { $id } is the image of a disk. Export it as raw or qcow2.
image-export-container = { $id } is the image of a container. Export it as oci or docker-archive.
image-exported = Wrote { $path }
