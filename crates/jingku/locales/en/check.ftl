### `jingku check` and `jingku sweep`.

check-bar-left = { $time } left
check-summary = { $images } images, { $manifests } manifests, { $chunks } chunks; { $read_chunks } fully verified ({ $size }).
check-spare = { $count } corrupted chunks are not used by any image; `jingku sweep` removes them.
check-clean = No problems found.
check-catalog = catalogue: { $problem }
check-object = { $object }: { $reason }. Used by { $images }
check-more-objects = … and { $count } more objects
check-trashed = in the trash
check-data-damaged = data is missing or corrupted
check-no-manifest = its catalogue row has no manifest
check-bad-manifest-name = its catalogue row names { $name }, which is not a manifest
check-size-differs = the catalogue says { $row } bytes, the manifest { $manifest }
check-catalog-damaged = The catalogue is corrupted. Stop the server, keep the directory unchanged, and restore a backup to another directory with `jingku restore`.
check-images-damaged = { $count } images are corrupted. Create each one again from its instance, which also repairs the corrupted chunks, or restore a backup with `jingku restore`.

check-scrub = scrub
check-scrub-none = not started; the server runs it
check-scrub-ended = complete, { $start } to { $end }
check-scrub-percent = { $percent }% since { $start }, at most { $rate }/s
check-read = read
check-read-amount = { $chunks } chunks, { $size }
check-found = corruption found
check-found-none = none
check-found-some = { $objects } objects; images { $images }
check-previous = previous scrub ended
check-last-sweep = last sweep
check-last-sweep-removed = { $time }, removed { $files } files of { $size }
check-run-it = To list what is corrupted now, run `jingku check`.

check-sweep-removed = { $files } files of { $size } removed.
check-sweep-would-remove = { $files } files of { $size } would be removed.
