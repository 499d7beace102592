"""One server for the whole run, and a new account for every test that changes something."""

import logging
import os
from pathlib import Path

import pytest

from daemon import MIB, Account, Daemon

# The SDK logs every request and response, which would hide the failure of a test.
logging.getLogger("ucloud").setLevel(logging.WARNING)

pytest_plugins = ["browser"]

DEFAULT_BINARY = Path(__file__).parent.parent / "target" / "debug" / "jingku"


@pytest.fixture(scope="session")
def daemon(tmp_path_factory):
    """A running server, which must also stop without an error."""
    binary = Path(os.environ.get("JINGKU_BIN", DEFAULT_BINARY)).resolve()
    if not binary.is_file():
        pytest.exit(f"{binary} does not exist. Build it, or name another with JINGKU_BIN.", returncode=2)
    daemon = Daemon(binary, tmp_path_factory.mktemp("jingku"))
    daemon.start()
    yield daemon
    assert daemon.process.poll() is None, f"the server ended during the run\n{daemon.log()}"
    assert daemon.stop() == 0, daemon.log()


@pytest.fixture
def account(daemon) -> Account:
    """A new account without images."""
    return daemon.create_account()


@pytest.fixture(scope="module")
def owner(daemon) -> Account:
    """An account with one image, for tests that neither add nor delete one."""
    owner = daemon.create_account()
    owner.instance = owner.add_instance(40 * MIB + 1536)
    owner.image = owner.make("my-custom-env", owner.instance, Description="torch 2.3")
    return owner


@pytest.fixture
def slow_instance(account) -> str:
    """An instance whose image takes long enough to observe."""
    return account.add_instance(256 * MIB, extents=4, extent=48 * MIB)
