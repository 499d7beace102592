"""Debian's Chromium, driven by the scripts in `console/` with playwright-core from npm."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from conftest import DEFAULT_BINARY
from daemon import STOP_SECONDS_MAX, clean_environment

HERE = Path(__file__).parent
SCRIPTS = HERE / "console"
PACKAGES = ["playwright-core@1.65.1", "axe-core@4.14.1"]
KEYS = {"JINGKU_PUBLIC_KEY": "public-lab", "JINGKU_PRIVATE_KEY": "private-lab"}
SCRIPT_SECONDS_MAX = 600


@pytest.fixture(scope="session")
def scripts(tmp_path_factory) -> Path:
    """A folder with the scripts and the packages that they use."""
    if not shutil.which("chromium") or not shutil.which("npm"):
        if os.environ.get("CI"):
            pytest.fail("chromium and npm must be installed")
        pytest.skip("chromium and npm are not installed")
    folder = tmp_path_factory.mktemp("scripts")
    for script in SCRIPTS.iterdir():
        shutil.copy(script, folder)
    subprocess.run(["npm", "install", "--silent", *PACKAGES], cwd=folder, check=True, timeout=300)
    return folder


@pytest.fixture
def screenshots(tmp_path) -> str:
    """The folder that JINGKU_SCREENSHOTS names, or a temporary one."""
    return os.environ.get("JINGKU_SCREENSHOTS", str(tmp_path / "screenshots"))


@pytest.fixture
def console(tmp_path):
    """A server in memory and how to run commands against it."""
    binary = os.environ.get("JINGKU_BIN", DEFAULT_BINARY)
    environment = clean_environment(tmp_path)
    serve = [binary, "serve", "--ephemeral", "--listen", "127.0.0.1:0", "--fixtures", HERE / "console.toml"]
    with (tmp_path / "log").open("w") as log:
        server = subprocess.Popen(serve, stdout=subprocess.PIPE, stderr=log, text=True, env=environment)
    try:
        base_url = server.stdout.readline().strip()
        environment |= {"JINGKU_BASE_URL": base_url, **KEYS}
        yield base_url, lambda *args: subprocess.run(
            [binary, *args], env=environment, check=True, capture_output=True, text=True, timeout=30
        ).stdout
    finally:
        server.terminate()
        server.wait(timeout=STOP_SECONDS_MAX)


def run_script(scripts, name, *arguments):
    """Runs a script, which must succeed."""
    command = ["node", name, *arguments]
    ended = subprocess.run(command, cwd=scripts, capture_output=True, text=True, timeout=SCRIPT_SECONDS_MAX)
    assert ended.returncode == 0, ended.stdout + ended.stderr
