"""What `cargo xtask package` has built, and Podman."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from podman import Podman, finish

ROOT = Path(__file__).parent.parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()


@pytest.fixture(scope="session")
def packages() -> Path:
    folder = TARGET / "packages"
    assert folder.is_dir(), "run `cargo xtask package` first"
    return folder


@pytest.fixture(scope="session")
def jingku() -> Path:
    """The packaged program."""
    return Path(os.environ.get("JINGKU_BIN", TARGET / "debug" / "jingku")).resolve()


@pytest.fixture(scope="module")
def podman(tmp_path_factory) -> Podman:
    if os.geteuid() != 0 or shutil.which("podman") is None:
        assert "CI" not in os.environ, "these tests need root and Podman"
        pytest.skip("needs root and Podman")
    podman = Podman(tmp_path_factory.mktemp("podman"))
    yield podman
    podman.close()


@pytest.fixture
def serve(jingku, tmp_path):
    """Starts servers with their own data directory; returns the base URL and the process."""
    servers = []

    def start(*arguments):
        command = [jingku, "serve", "--data-dir", tmp_path / "data", "--listen", "127.0.0.1:0", *arguments]
        log = (tmp_path / "log").open("wb")
        server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        servers.append(server)
        base_url = server.stdout.readline().strip()
        assert base_url.startswith("http://127.0.0.1:"), (tmp_path / "log").read_text()
        return base_url, server

    yield start
    for server in servers:
        server.kill()
        server.wait()


@pytest.fixture
def run(jingku, tmp_path):
    """Runs the program on the data directory of `serve`."""
    return lambda *arguments: finish([jingku, "--data-dir", tmp_path / "data", *arguments])
