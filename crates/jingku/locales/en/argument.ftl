### Values of the command line that cannot be used.

argument-age = write a whole number of d, h, m or s, such as 7d
argument-audit-note = write the number and hash that `jingku audit verify` printed: 12:4f…
argument-audit-result = write a return code, such as 8039, or failed
argument-blake3 = write 64 hexadecimal digits
argument-bytes = write a size such as 1048576, 512M or 20G; K, M, G and T are powers of 1024
argument-count-limit = write a whole number or `default`
argument-data-dir-empty = --data-dir is empty. Name a directory, or omit the option.
argument-lifetime = write a time such as 90s, 10m or 2h; at most 24h
argument-megabytes = write a whole number of MB, GB or TB, such as 20GB
argument-moment = write a date (2026-11-24), a time (2026-11-24T08:00) or an age (7d, 12h)
argument-platform-type = use System, App, Game or Other
argument-seconds = not a number of seconds
argument-size-limit = write a size such as 500GB, or `default`
argument-status = valid statuses are { $known }
argument-subset = write N/M, such as 1/7
argument-time = { $text } is not a time. Use Unix seconds, or a time such as 2026-11-24T08:00:00Z.
