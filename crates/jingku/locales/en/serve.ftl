### `jingku serve`.

serve-catalog-moved = The catalogue was moved to { $place }, so this server has stopped. Start it again: it then uses the new place.
serve-host-lost = Another server has got the host name { $name }, so this one has stopped. Nothing of it was lost.
serve-keys-incomplete = Set both JINGKU_PUBLIC_KEY and JINGKU_PRIVATE_KEY, or neither.
serve-bad-address = Invalid listen address: { $error }
serve-tls-incomplete = Set both the certificate (--tls-cert, JINGKU_TLS_CERT) and its key (--tls-key, JINGKU_TLS_KEY), or neither.
serve-public-plain-http = Other machines can reach { $address }, and plain HTTP would show them image data and links. Either set a certificate with --tls-cert and --tls-key, or allow it with --plain-http-on-public-addresses or `plain_http_on_public_addresses = true` in the configuration, for example behind a proxy that terminates TLS.
serve-bad-engine = { $url } is not the address of a container engine. Write unix:///PATH/TO/SOCKET, or none to connect to no engine.
serve-bad-collector = Cannot send traces: { $error }
serve-unknown-host = Cannot resolve the host in { $address }: { $error }. Choose another address with --listen.
serve-cannot-listen = Cannot listen on { $address }: { $error }. Choose another address with --listen.
serve-cut-off = Some work did not finish in time and was cut off.
serve-data-dir = Data directory: { $path }
serve-new-key = Created a key pair for account 1: { $path }
serve-read-only = The data directory { $path } is not writable. The server only reads its current content and refuses changes. Client commands need --base-url { $base_url }.
serve-second-signal = Second signal received: exiting at once.
serve-demo-description = created by jingku serve --demo
serve-demo-try = Try in another terminal:
serve-demo-try-with-keys = Try in another terminal, after setting JINGKU_PUBLIC_KEY and JINGKU_PRIVATE_KEY there:
serve-lab-loopback = --lab works on this machine only, and { $address } is not a loopback address. Listen on 127.0.0.1 or [::1].
serve-ephemeral-data-dir = --ephemeral stores nothing and cannot be combined with --data-dir. Remove one of them.
serve-ephemeral-note = All data is in memory and is lost on exit.
