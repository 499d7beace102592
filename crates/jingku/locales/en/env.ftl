### `jingku env`: remarks in the sample programs.

env-no-zone = The server has no zone for { $wanted }. Set both --region and --zone.
env-typed = Typed methods require a zone; { $call } does not.
env-typed-only = The SDK requires a zone.
env-retries = The SDK sends a request up to four times, even after the server has refused it.
env-logger = Without this, the SDK prints every request and response.
env-untyped = This SDK has no class for this API, but its client can call any action.
