"""A temporary CompShare image API for pytest: fixtures `jingku_server` and `jingku`."""

import http.client
import json
import math
import os
import subprocess
from urllib.parse import urlsplit

import pytest


class LabError(Exception):
    """The lab refused a call. The text gives the reason."""


class Jingku:
    """A running server: its address, its keys and its lab."""

    def __init__(self, announced: dict):
        self.base_url = announced["BaseUrl"]
        self.accounts = announced["Accounts"]
        self.public_key = self.accounts[0]["Keys"][0]["PublicKey"]
        self.private_key = self.accounts[0]["Keys"][0]["PrivateKey"]

    @property
    def config(self) -> dict:
        """The arguments of the Python SDK's client."""
        keys = {"public_key": self.public_key, "private_key": self.private_key}
        return {"base_url": self.base_url, "region": "cn-wlcb", **keys}

    def reset(self):
        """Resets the catalogue, clock, faults, hold and trace to the fixtures file."""
        self._post("reset")

    def snapshot(self, name="default"):
        """Takes a snapshot of the catalogue."""
        self._post("snapshot", name=name)

    def return_to(self, name="default"):
        """Returns the catalogue to a snapshot."""
        self._post("return", name=name)

    def set_clock(self, now: float):
        """Stops the server's clock at a time in Unix seconds, rounded down."""
        self._post("clock", set=_seconds(now))

    def advance_clock(self, seconds: float):
        """Advances the server's clock by seconds, rounded down."""
        self._post("clock", advance=_seconds(seconds))

    def free_clock(self):
        """Returns to the machine's clock."""
        self._post("clock", free=True)

    def hold(self, percent: int):
        """Holds every unfinished image at this percentage."""
        self._post("hold", percent=percent)

    def release(self):
        """Releases all held images."""
        self._post("release")

    def fail(self, action: str, ret_code: int, message=None, times=1):
        """Answers the next calls of an action with a return code, without executing them."""
        self._post("fail", action=action, ret_code=ret_code, message=message, times=times)

    def delay(self, action: str, ms: int, times=1):
        """Delays the next calls of an action."""
        self._post("delay", action=action, ms=ms, times=times)

    def drop(self, action: str, half=False, times=1):
        """Closes the connection of the next calls: before they are executed, or after half of the answer."""
        self._post("drop", action=action, half=half, times=times)

    def clear(self):
        """Discards pending faults."""
        self._post("clear")

    def trace(self, after=0) -> list:
        """What clients sent, the oldest first."""
        return self._call("GET", f"trace?after={after}")["entries"]

    def state(self) -> dict:
        """Clock, hold, faults and snapshots."""
        return self._call("GET", "state")

    def _post(self, call, **body) -> dict:
        return self._call("POST", call, json.dumps(body))

    def _call(self, method, call, body=None) -> dict:
        address = urlsplit(self.base_url)
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=60)
        try:
            headers = {"X-Jingku-Lab": "1", "Content-Type": "application/json"}
            connection.request(method, f"/_lab/{call}", body, headers)
            answer = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        if "error" in answer:
            raise LabError(answer["error"])
        return answer


def _seconds(value) -> int:
    """Returns whole seconds, as the server counts them."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"give a number of seconds, such as time.time(), not {value!r}")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"give a finite number of seconds, not {value!r}")
    return int(value)


def pytest_addoption(parser):
    parser.addini("jingku_fixtures", "fixtures file of the jingku server, from the ini file's folder on", type="paths")


@pytest.fixture(scope="session")
def jingku_fixtures(pytestconfig):
    """The fixtures file: the one of the ini file unless a conftest.py overrides it."""
    paths = pytestconfig.getini("jingku_fixtures")
    return paths[0] if paths else None


@pytest.fixture(scope="session")
def jingku_server(jingku_fixtures):
    """One server in memory for the whole run. JINGKU_BIN names the program; otherwise it is found on the PATH."""
    command = [os.environ.get("JINGKU_BIN") or "jingku", "serve", "--ephemeral", "--lab", "--listen", "127.0.0.1:0"]
    command += ["--json", "--exit-with-parent"] + (["--fixtures", str(jingku_fixtures)] if jingku_fixtures else [])
    # Settings of a production server do not apply to this one.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("JINGKU_")}
    environment["JINGKU_LOG"] = "warn"
    try:
        # The pipe to its standard input closes when this process ends, even if killed: then the server stops.
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, env=environment, text=True)
    except OSError as error:
        pytest.fail(f"cannot start {command[0]}: {error}; install jingku, or name it with JINGKU_BIN", pytrace=False)
    try:
        process.stdout.readline()
        announced = process.stdout.readline()
        if not announced:
            pytest.fail(f"{command[0]} ended with {process.wait()}; what it said is above", pytrace=False)
        yield Jingku(json.loads(announced))
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


@pytest.fixture
def jingku(jingku_server):
    """The server, reset to its fixtures file for one test."""
    jingku_server.reset()
    return jingku_server
