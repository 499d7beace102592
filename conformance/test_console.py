"""The web console in a real browser: Debian's Chromium, driven by playwright-core from npm."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from conftest import DEFAULT_BINARY
from daemon import clean_environment

HERE = Path(__file__).parent
SCRIPTS = HERE / "console"
KEYS = {"JINGKU_PUBLIC_KEY": "public-lab", "JINGKU_PRIVATE_KEY": "private-lab"}


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
        server.wait(timeout=20)


def test_every_page_in_both_languages(console, tmp_path):
    """Screenshots stay in the temporary folder, or in the folder that JINGKU_SCREENSHOTS names."""
    if not shutil.which("chromium") or not shutil.which("npm"):
        if os.environ.get("CI"):
            pytest.fail("chromium and npm must be installed")
        pytest.skip("chromium and npm are not installed")
    base_url, jingku = console
    link = jingku("console", "--no-open").splitlines()[0]
    assert link.startswith(f"{base_url}/console/sign-in?link=")
    for script in SCRIPTS.iterdir():
        shutil.copy(script, tmp_path)
    packages = ["playwright-core@1.65.1", "axe-core@4.14.1"]
    subprocess.run(["npm", "install", "--silent", *packages], cwd=tmp_path, check=True, timeout=300)
    screenshots = os.environ.get("JINGKU_SCREENSHOTS", str(tmp_path / "screenshots"))
    browse = ["node", "browse.mjs", base_url, link, screenshots]
    ended = subprocess.run(browse, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert ended.returncode == 0, ended.stdout + ended.stderr
