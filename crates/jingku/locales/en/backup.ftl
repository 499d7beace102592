### `jingku backup` and `jingku restore`.

backup-damaged = corrupted
backup-yes = yes
backup-no = no
backup-done = Backed up { $images } images as generation { $generation }: { $copied }.
backup-pruned = Removed { $generations } old generations with { $objects } objects ({ $size }).
backup-copied = { $objects } objects copied ({ $size }), { $present } already present ({ $present_size })
backup-copied-repaired = { $objects } objects copied ({ $size }), { $present } already present ({ $present_size }), { $repaired } corrupted ones replaced
backup-master-key-changed = The master key has changed since the last backup, which contains the old one. Run the backup once with --with-master-key.
backup-master-key-absent = The backup does not contain the master key. Keep a copy elsewhere: without it, no key pair works after a restore.
backup-prune-stopped = Nothing was removed from the backup; it only uses more space: { $reason }
backup-images-damaged = The backup is complete, but { $count } images are corrupted in the data directory and in the backup:{ $lines }
backup-restored = Restored { $images } images as of { $time } (generation { $generation }) to { $path }: { $copied }.
backup-restore-skipped = Skipped corrupted images:{ $lines }
backup-restore-no-master-key = The backup contains no master key. Before the first start, copy the original key to { $path }/master.key or set JINGKU_MASTER_KEY: without it, no key pair works.
