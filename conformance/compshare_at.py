"""Runs compshare-cli, untouched, against another base URL: `compshare_at.py URL ARGUMENT...`.

Its endpoint is a constant that no option and no variable reaches, so it is set before the CLI starts.
"""

import sys

from compshare_cli import config

config.DEFAULT_BASE_URL = sys.argv[1]

from compshare_cli.cli import main  # noqa: E402  after the constant is set

main(sys.argv[2:])
