### Where the API is, and whose keys sign.

connection-no-home = Cannot find the home directory. Set HOME, or set the data directory with --data-dir.
connection-no-server = No server has run here yet, and no other server is given with --base-url, JINGKU_BASE_URL or --profile.
connection-unreachable = No server answers at { $base_url }.
connection-start-server = Start one with: { $command }
connection-key-missing = The { $key } is missing. Set --{ $key }, { $variable } or --profile.
connection-key-control = The { $key } contains a line break or another control character. Copy it again as one line.
connection-key-address = This key pair cannot be used from this address. Use another key pair, or ask the administrator to allow this address.
connection-key-permission = This key pair does not permit this action; it may be read-only. Use another key pair.
connection-profiles-no-home = Cannot find profiles.toml because the home directory is unknown. Set HOME or XDG_CONFIG_HOME.
connection-profile-unknown = There is no profile [{ $name }] in { $file }. It has { $known }.
connection-profile-none = There is no profile [{ $name }] in { $file }: the file contains no profiles.
connection-no-permission = Run the command as the user who runs the server, or set the server and key pair with --base-url, --public-key and --private-key.
connection-settings-invalid = { $file } is invalid: { $error }
connection-url-no-scheme = The base URL { $url } has no scheme. Write http://{ $host }, or https://{ $host } if the server uses TLS.
connection-url-invalid = The base URL { $url } is invalid: { $error }.
connection-url-scheme = The base URL { $url } must start with http:// or https://.
connection-url-credentials = The base URL contains a user name or password, which the API does not use. Remove everything before the @.
connection-url-query = The base URL { $url } has a query or fragment. Remove the ? or # and everything after it.
connection-no-tls = The server does not use TLS: write http:// instead of https:// in the base URL.
connection-no-http = The server does not answer in HTTP. If it uses TLS, write https:// instead of http:// in the base URL.
connection-maybe-tls = If the server uses TLS, write https:// instead of http:// in the base URL.
