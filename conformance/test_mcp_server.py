"""The installed compshare-mcp through `jingku run`, with an MCP host's protocol: JSON-RPC lines over stdio.

compshare-mcp passes few environment variables to the CLI, and not those that name the certificates `requests` trusts.
"""

import contextlib
import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from daemon import MIB, REGION, Account, clean_environment

SERVER = Path(sys.executable).with_name("compshare-mcp")
ANSWER_SECONDS_MAX = 120


class Host:
    """An MCP host with one server."""

    def __init__(self, account: Account, home: Path, command):
        daemon = account.daemon
        keys = {"JINGKU_PUBLIC_KEY": account.public_key, "JINGKU_PRIVATE_KEY": account.private_key}
        self.process = subprocess.Popen(
            [daemon.binary, "run", "--data-dir", daemon.data, "--", *command],
            env=clean_environment(home, **keys),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        # If no answer arrives, the server is killed.
        self.patience = threading.Timer(ANSWER_SECONDS_MAX, self.process.kill)
        self.patience.start()
        self.number = 0
        self.call("initialize", protocolVersion="2025-06-18", capabilities={}, clientInfo={"name": "t", "version": "1"})
        self._send(method="notifications/initialized")

    def call(self, method, **params) -> dict:
        self.number += 1
        self._send(id=self.number, method=method, params=params)
        for line in self.process.stdout:
            message = json.loads(line)
            if message.get("id") == self.number:
                return message["result"]
        raise AssertionError(f"it ended: {self.process.stderr.read()}")

    def tool(self, name, **arguments) -> dict:
        """Calls a tool; answers what the CLI printed."""
        result = self.call("tools/call", name=name, arguments=arguments)
        assert not result.get("isError"), result
        return result["structuredContent"]

    def end(self) -> str:
        """Ends it as a host does; answers what it said on standard error."""
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        said = self.process.stderr.read()
        self.process.wait()
        self.patience.cancel()
        return said

    def _send(self, **message):
        self.process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        self.process.stdin.flush()


@pytest.fixture
def host(account, tmp_path):
    host = Host(account, tmp_path, [SERVER])
    yield host
    host.end()


def test_tools_reach_the_server(host, account):
    image = account.make("seen-by-mcp")
    tools = {tool["name"] for tool in host.call("tools/list")["tools"]}
    assert {"compshare_status", "compshare_read", "compshare_write"} <= tools
    listed = host.tool("compshare_read", args=["image", "list", "--source", "custom"])
    assert listed["ok"], listed
    assert [item["CompShareImageId"] for item in listed["result"]["data"]["items"]] == [image]
    status = host.tool("compshare_status")
    assert status["ok"] and status["credentials"]["publicKey"], status


def test_tools_change_images(host, account):
    instance = account.add_instance(MIB)
    create = ["image", "create", "--instance", instance, "--name", "by-mcp", "-y", "--wait"]
    confirmed = {"user_confirmed": True, "confirmation_summary": "make an image of a test instance"}
    made = host.tool("compshare_write", args=create, **confirmed)
    assert made["ok"] and made["result"]["data"]["final"]["Progress"] == 100, made
    image = made["result"]["data"]["operation"]["CompShareImageId"]
    delete = ["image", "delete", image, "-y", "--region", REGION]
    assert host.tool("compshare_write", args=delete, **confirmed)["ok"]
    assert account.images() == []


def test_a_child_without_the_certificate_is_reported(account, tmp_path):
    # `-E` prevents Python from loading the module that passes the certificate on.
    host = Host(account, tmp_path, [sys.executable, "-E", SERVER])
    listed = host.tool("compshare_read", args=["image", "list", "--source", "custom"])
    assert not listed["ok"] and "CERTIFICATE_VERIFY_FAILED" in json.dumps(listed), listed
    said = host.end()
    assert said.count("a program refused the certificate for api.compshare.cn") == 1, said


def test_a_module_of_the_same_name_still_runs(account, tmp_path):
    # Coverage tools and distributions install their own sitecustomize.
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.stderr.write('mine ran\\n')\n")
    daemon = account.daemon
    keys = {"JINGKU_PUBLIC_KEY": account.public_key, "JINGKU_PRIVATE_KEY": account.private_key}
    script = "import sitecustomize, subprocess, sys; print(sitecustomize.__file__)"
    done = subprocess.run(
        [daemon.binary, "run", "--data-dir", daemon.data, "--", sys.executable, "-c", script],
        env=clean_environment(tmp_path, PYTHONPATH=str(tmp_path), **keys),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "mine ran\n"), done
    assert done.stdout.strip() == str(tmp_path / "sitecustomize.py")


def test_only_children_of_the_proxy_get_the_certificate(account, tmp_path):
    daemon = account.daemon
    keys = {"JINGKU_PUBLIC_KEY": account.public_key, "JINGKU_PRIVATE_KEY": account.private_key}
    script = (
        "import os, subprocess, sys\n"
        "show = [sys.executable, '-S', '-c', 'import os; print(\"REQUESTS_CA_BUNDLE\" in os.environ)']\n"
        "proxy = os.environ['HTTPS_PROXY']\n"
        "for env in ({'HTTPS_PROXY': proxy}, {'https_proxy': proxy}, {'HTTPS_PROXY': 'http://other:1'}, {}, None):\n"
        "    kept = None if env is None else dict(env)\n"
        "    print(subprocess.run(show, env=env, capture_output=True, text=True).stdout.strip(), env == kept)\n"
    )
    done = subprocess.run(
        [daemon.binary, "run", "--data-dir", daemon.data, "--", sys.executable, "-c", script],
        env=clean_environment(tmp_path, **keys),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.split("\n")[:5] == ["True True", "True True", "False True", "False True", "True True"], done
