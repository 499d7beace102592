### `jingku run` and its proxy.

run-no-command = There is no command { $program }: it is not on the PATH, or not installed.
run-cannot-run = Cannot run { $program }: { $error }.
run-cannot-connect = Cannot connect: { $error }.
run-cannot-listen = Cannot listen on a local port: { $error }.
run-refused-tunnel = jingku: refused to connect to { $place }: only HTTPS to { $hosts } and requests to { $own } are allowed.
run-refused-request = jingku: refused { $method } to { $place }: only HTTPS to { $hosts } and requests to { $own } are allowed.
run-hosts = { $first } and { $second }
run-distrust = jingku: a program refused the certificate for { $host }. It ignores SSL_CERT_FILE, REQUESTS_CA_BUNDLE and NODE_EXTRA_CA_CERTS, or was started without them. Make it trust { $path }.
run-no-answer = jingku: the server did not answer: { $error }.
