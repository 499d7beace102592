"""testing/pytest-jingku in separate processes: whether its server ends with pytest, and its clock."""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

PLUGIN = Path(__file__).parent.parent / "testing" / "pytest-jingku"
SECONDS_MAX = 60

WAITING = """
import time

def test_it_waits(jingku):
    print(jingku.base_url, flush=True)
    time.sleep(600)
"""


def run_pytest(daemon, folder: Path, source: str, *options) -> subprocess.Popen:
    """Starts pytest on one file with the plugin of this repository."""
    (folder / "test_it.py").write_text(source)
    environment = {**os.environ, "PYTHONPATH": str(PLUGIN), "JINGKU_BIN": str(daemon.binary)}
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    # A shell ignores the signal in what it runs in the background.
    python = ["env", "--default-signal=INT", sys.executable]
    pytest = ["-m", "pytest", "-s", "-q", "-p", "no:cacheprovider", "-p", "pytest_jingku", *options]
    pipe, both = subprocess.PIPE, subprocess.STDOUT
    return subprocess.Popen([*python, *pytest, "test_it.py"], cwd=folder, env=environment, stdout=pipe, stderr=both, text=True)


def address(process) -> str:
    """Returns the address that a test prints."""
    for line in process.stdout:
        if found := re.search(r"http://127\.0\.0\.1:\d+", line):
            return found[0]
    raise AssertionError("no server was started")


def answers(base_url) -> bool:
    try:
        return urllib.request.urlopen(base_url + "/healthz", timeout=5).status == 200
    except OSError:
        return False


def assert_gone(base_url):
    deadline = time.monotonic() + SECONDS_MAX
    while answers(base_url):
        assert time.monotonic() < deadline, f"a server is left at {base_url}"
        time.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
def test_no_server_outlives_a_terminated_pytest(daemon, tmp_path, number):
    process = run_pytest(daemon, tmp_path, WAITING)
    base_url = address(process)
    assert answers(base_url)
    process.send_signal(number)
    process.wait(SECONDS_MAX)
    process.stdout.close()
    assert_gone(base_url)


def test_no_server_outlives_xdist_workers(daemon, tmp_path):
    # The output of a worker is discarded, so the test writes the address to a file.
    source = WAITING.replace("print(jingku.base_url, flush=True)", "open('address', 'w').write(jingku.base_url)")
    process = run_pytest(daemon, tmp_path, source, "-p", "xdist.plugin", "-n", "1")
    address_file, deadline = tmp_path / "address", time.monotonic() + SECONDS_MAX
    while not (address_file.exists() and address_file.read_text().startswith("http://")):
        assert time.monotonic() < deadline and process.poll() is None, process.stdout.read()
        time.sleep(0.05)
    base_url = address_file.read_text()
    assert answers(base_url)
    process.kill()
    process.wait(SECONDS_MAX)
    process.stdout.close()
    assert_gone(base_url)


def test_the_clock_accepts_python_times(daemon, tmp_path):
    source = """
import time
import pytest
from pytest_jingku import LabError

def now(jingku):
    return jingku.state()["clock"]["now"]

def test_times(jingku):
    jingku.set_clock(1.5)
    assert now(jingku) == 1
    jingku.advance_clock(2.9)
    assert now(jingku) == 3
    jingku.advance_clock(-0.5)
    assert now(jingku) == 3
    jingku.set_clock(time.time() + 60)
    assert now(jingku) > 1_700_000_000

@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), -float("inf")])
def test_times_that_are_not_finite(jingku, wrong):
    for call in (jingku.set_clock, jingku.advance_clock):
        with pytest.raises(ValueError, match="finite number of seconds"):
            call(wrong)

@pytest.mark.parametrize("wrong", ["1", None, True, [1], b"1"])
def test_times_that_are_not_numbers(jingku, wrong):
    for call in (jingku.set_clock, jingku.advance_clock):
        with pytest.raises(TypeError, match="a number of seconds"):
            call(wrong)

@pytest.mark.parametrize("far", [-1, 10**12, 10**30, 1e300, -(10**400)])
def test_times_out_of_range(jingku, far):
    with pytest.raises(LabError, match="The clock goes from 0|out of range"):
        jingku.set_clock(far)
"""
    process = run_pytest(daemon, tmp_path, source)
    output, _ = process.communicate(timeout=SECONDS_MAX)
    assert process.returncode == 0 and "14 passed" in output, output
