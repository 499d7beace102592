"""The console with many images, several browsers, hostile texts and a server that restarts."""

import os
import subprocess
import threading

import pytest

from browser import KEYS, run_script
from conftest import DEFAULT_BINARY
from daemon import STOP_SECONDS_MAX, clean_environment

RESTART_SECONDS_MAX = 180


def test_ten_thousand_images_are_listed_and_found(console, scripts):
    run_script(scripts, "many.mjs", console[0])


def test_two_browsers_change_the_same_image(console, scripts):
    run_script(scripts, "two.mjs", console[0])


def test_no_text_of_a_tenant_runs(console, scripts):
    run_script(scripts, "hostile.mjs", console[0])


class Server:
    """A server on a data directory, which starts again at the same address."""

    def __init__(self, folder):
        self.folder = folder
        self.listen = "127.0.0.1:0"
        self.process = None

    def start(self):
        binary = os.environ.get("JINGKU_BIN", DEFAULT_BINARY)
        command = [binary, "serve", "--data-dir", self.folder / "data", "--listen", self.listen]
        environment = clean_environment(self.folder) | KEYS
        with (self.folder / "log").open("a") as log:
            self.process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=log, text=True, env=environment
            )
        base_url = self.process.stdout.readline().strip()
        assert base_url, (self.folder / "log").read_text()
        self.listen = base_url.removeprefix("http://")

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=STOP_SECONDS_MAX)


@pytest.fixture
def server(tmp_path):
    server = Server(tmp_path)
    server.start()
    yield server
    server.stop()


def test_the_console_survives_a_restart_of_the_server(server, scripts, tmp_path):
    """The script asks for each stop and start by a line, and waits for an answer."""
    command = ["node", "restart.mjs", f"http://{server.listen}", str(tmp_path)]
    lines = []
    with subprocess.Popen(
        command, cwd=scripts, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as script:
        watch = threading.Timer(RESTART_SECONDS_MAX, script.kill)
        watch.start()
        for line in script.stdout:
            lines.append(line)
            if line.strip() in ("stop", "start"):
                getattr(server, line.strip())()
                script.stdin.write("done\n")
                script.stdin.flush()
        watch.cancel()
    assert script.returncode == 0, "".join(lines)
