"""The installed, unmodified compshare-cli creates, stops, starts, reboots and deletes instances, under `jingku run`. So does
the typed SDK for Go, if there is a checkout of it.
"""

import base64
import json
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from daemon import REGION, ZONE, Daemon, clean_environment
from engine import Engine
from test_sdk_samples import go
from test_unmodified_cli import Run

SIZE = ("--gpu", "CPU", "--count", "1", "--cpu", "1", "--memory", "1GiB")
HERE = ("--region", REGION, "--zone", ZONE)


@pytest.fixture(scope="module")
def engine():
    assert shutil.which("podman"), "podman is not installed: CONTRIBUTING.md names what the tests need"
    # Podman allows its folder 50 characters, fewer than a temporary folder of pytest can have.
    with tempfile.TemporaryDirectory(prefix="jingku-") as folder:
        engine = Engine(Path(folder))
        yield engine
        engine.stop()


@pytest.fixture(scope="module")
def host(daemon, engine, tmp_path_factory):
    folder = tmp_path_factory.mktemp("host")
    (folder / "jingku.toml").write_text("[containers]\ncreate = true\n")
    host = Daemon(daemon.binary, folder, options=["--config", folder / "jingku.toml", "--engine", engine.url])
    host.start()
    yield host
    assert host.stop() == 0, host.log()


@pytest.fixture
def cli(host, tmp_path) -> Run:
    return Run(host.create_account(), tmp_path)


@pytest.fixture
def image(cli, engine) -> str:
    """An image that the CLI saves from a running container."""
    account = cli.account.id
    engine.container(f"trainer-{account}", instance=f"cpod-trainer-{account}", account=account)
    engine.run("exec", f"trainer-{account}", "/bin/sh", "-c", f"echo {account} > /root/answer")
    wait_for_instance(cli, f"cpod-trainer-{account}")
    create = ("image", "create", "--instance", f"cpod-trainer-{account}", "--name", "saved", "-y", "--wait")
    return cli.json(*create)["data"]["operation"]["CompShareImageId"]


def wait_for_instance(cli, instance):
    deadline = time.monotonic() + 60
    while instance not in [row["UHostId"] for row in rows(cli)]:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def rows(cli) -> list:
    return cli.account.ok("DescribeCompShareInstance")["UHostSet"]


def row(cli, instance) -> dict:
    return next(row for row in rows(cli) if row["UHostId"] == instance)


def test_the_life_of_an_instance(cli, image, engine):
    create = ("instance", "create", *SIZE, *HERE, "--image", image, "--image-source", "custom", "--name", "trained")
    offered = cli.json(*create, "--dry-run")
    created = cli.json(*create, "-y")
    instance = next(row["UHostId"] for row in rows(cli) if row["Name"] == "trained")
    assert instance in json.dumps(created) and instance not in json.dumps(offered)
    assert row(cli, instance)["State"] == "Running"
    assert engine.run("exec", instance, "cat", "/root/answer") == cli.account.id
    password = base64.b64decode(row(cli, instance)["Password"]).decode()
    assert engine.run("exec", instance, "cat", "/root/password") == f"root:{password}"
    login = row(cli, instance)["SshLoginCommand"]
    assert login.startswith("ssh -p ") and login.endswith(" root@127.0.0.1")

    engine.run("exec", instance, "/bin/sh", "-c", "echo changed > /root/answer")
    for command, state in [("stop", "Stopped"), ("start", "Running"), ("reboot", "Running"), ("stop", "Stopped")]:
        cli.json("instance", command, instance, *([] if command == "start" else ["-y"]), "--wait")
        assert row(cli, instance)["State"] == state, command
    cli.json("instance", "start", instance, "--wait")
    assert engine.run("exec", instance, "cat", "/root/answer") == "changed"
    assert row(cli, instance)["SshLoginCommand"] == login
    shown = cli.json("instance", "show", instance)
    assert instance in json.dumps(shown)

    cli.json("instance", "stop", instance, "-y", "--wait")
    cli.json("instance", "reinstall", instance, "--image", image, "-y", "--wait")
    assert engine.run("exec", instance, "cat", "/root/answer") == cli.account.id
    cli.json("instance", "stop", instance, "-y", "--wait")
    cli.json("instance", "delete", instance, "-y", "--wait")
    assert instance not in [row["UHostId"] for row in rows(cli)]


def test_refusals_reach_the_user(cli, image):
    create = ("instance", "create", *SIZE, *HERE, "--image", image, "--image-source", "custom", "--name", "trained")
    cli.json(*create, "-y")
    instance = next(row["UHostId"] for row in rows(cli) if row["Name"] == "trained")
    refused = cli.json("instance", "delete", instance, "-y", code=1)
    assert "8010" in json.dumps(refused) and "is not stopped" in json.dumps(refused)
    cli.json("instance", "stop", instance, "-y", "--wait")
    cli.json("instance", "delete", instance, "-y", "--wait")


def test_the_life_of_an_instance_with_the_sdk_for_go(cli, image, tmp_path):
    program = (Path(__file__).parent / "instances.go").read_text()
    [run], settings = go(tmp_path, program)
    account = cli.account
    keys = {"PUBLIC_KEY": account.public_key, "PRIVATE_KEY": account.private_key}
    settings |= keys | {"BASE_URL": account.daemon.base_url, "REGION": REGION, "ZONE": ZONE, "IMAGE": image}
    environment = clean_environment(tmp_path, **settings)
    done = subprocess.run(run, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    running, left = done.stdout.splitlines()
    running = json.loads(running)
    expected = {"Name": "trained", "State": "Running", "GPU": 1, "CPU": 1, "Memory": 1024, "CompShareImageId": image}
    assert expected.items() <= running.items(), running
    assert running["DiskSet"][0]["IsBoot"] == "True" and running["IPSet"][0]["IP"] == "127.0.0.1", running
    assert left == "0"
