### `jingku lab`.

lab-which-server = No server is given. Set --base-url or JINGKU_BASE_URL to the address that `jingku serve --ephemeral --lab` prints.
lab-no-tls = A lab runs on this machine and uses plain HTTP: write http:// instead of https:// in { $base_url }.
lab-done = Done.
lab-no-answer = no answer
lab-sent = sent
lab-unknown = unknown
lab-refused = refused
lab-missing = missing
lab-injected = injected
lab-signature = signature
