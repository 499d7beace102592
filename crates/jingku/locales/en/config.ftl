### `jingku config`.

config-valid = The configuration is valid.
config-default = default
config-machine = found on this machine
config-token = The token for metrics cannot be used: { $error }
