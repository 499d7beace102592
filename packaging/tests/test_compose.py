"""The compose file: Jingku over PostgreSQL and an object store. Stand-ins serve as the images of a registry."""

import os
import re
import shutil
import socket
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

from conftest import ROOT
from podman import finish

HERE = Path(__file__).parent / "compose"
SERVICES = ("jingku", "database", "objects")
START_SECONDS_MAX = 90


def build_stand_in(podman, folder: Path):
    """Links to the folders of the machine's /usr, and what an empty root lacks."""
    shutil.copytree(HERE, folder)
    root = folder / "root"
    for name in ("etc", "proc", "sys", "dev", "run", "tmp", "usr"):
        (root / name).mkdir(parents=True)
    (root / "tmp").chmod(0o1777)
    for name in ("bin", "lib", "lib64", "sbin"):
        (root / name).symlink_to(f"usr/{name}")
    (root / "etc/passwd").write_text("jingku:x:65532:65532::/tmp:/bin/sh\n")
    podman.run("build", "--quiet", "--format=docker", "--tag=stand-in", folder)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.fixture
def deployment(podman, packages, tmp_path):
    """The running services; returns the address of Jingku."""
    podman.run("build", "--quiet", "--format=docker", "--tag=jingku", packages / "image")
    build_stand_in(podman, tmp_path / "stand-in")
    folder = tmp_path / "compose"
    shutil.copytree(ROOT / "packaging/compose", folder)
    finish([folder / "prepare.sh"])
    base_url = f"http://127.0.0.1:{free_port()}"
    settings = folder / "jingku.toml"
    settings.write_text(settings.read_text().replace("#public_url = ", f'public_url = "{base_url}" # '))
    wrapper = tmp_path / "podman"
    wrapper.write_text("#!/bin/sh\nexec " + " ".join(map(str, podman.command())) + ' "$@"\n')
    wrapper.chmod(0o755)
    environment = {
        **os.environ,
        "JINGKU_PUBLISH": base_url.removeprefix("http://"),
        "POSTGRES_IMAGE": "localhost/stand-in",
        "GARAGE_IMAGE": "localhost/stand-in",
        "MOTO": str(Path(find_spec("moto").origin).parent.parent),
    }
    files = ["--file", folder / "compose.yaml", "--file", HERE / "override.yaml"]
    program = shutil.which("podman-compose", path=Path(os.sys.executable).parent)
    assert program, "podman-compose is in conformance/requirements.txt"
    compose = [program, "--podman-path", wrapper, *files]
    try:
        finish([*compose, "up", "--detach"], env=environment)
        yield base_url
    finally:
        subprocess.run([*compose, "down", "--timeout=1"], env=environment, capture_output=True)


def wait_until_healthy(podman):
    """Podman runs health checks by timers of systemd, which is not everywhere: so they are run here."""
    deadline = time.monotonic() + START_SECONDS_MAX
    for service in SERVICES:
        check = podman.command("healthcheck", "run", f"jingku_{service}_1")
        while subprocess.run(check, capture_output=True).returncode != 0:
            logs = subprocess.run(podman.command("logs", f"jingku_{service}_1"), capture_output=True, text=True)
            assert time.monotonic() < deadline, f"{service}: {logs.stdout}{logs.stderr}"
            time.sleep(0.5)


def test_the_services_keep_an_image(podman, deployment, jingku, tmp_path):
    wait_until_healthy(podman)
    for service in SERVICES:
        shape = podman.inspect("container", f"jingku_{service}_1")
        assert shape["Config"]["User"] == "65532:65532"
        assert shape["EffectiveCaps"] in (None, [])
    exported = podman.run("exec", "jingku_jingku_1", "jingku", "env")
    variables = {name: value.strip("'") for name, value in re.findall(r"export (\w+)=(.*)", exported)}
    environment = {
        "JINGKU_BASE_URL": deployment,
        "JINGKU_PUBLIC_KEY": variables["COMPSHARE_PUBLIC_KEY"],
        "JINGKU_PRIVATE_KEY": variables["COMPSHARE_PRIVATE_KEY"],
        "HOME": str(tmp_path),
    }
    disk = tmp_path / "disk.raw"
    disk.write_bytes(os.urandom(3 << 20))
    finish([jingku, "image", "import", disk, "--name", "imported", "--wait"], env=environment)

    podman.run("restart", "--time=10", "jingku_jingku_1")
    wait_until_healthy(podman)
    listed = finish([jingku, "image", "list"], env=environment)
    [image_id] = re.findall(r"(\S+) +imported ", listed)
    finish([jingku, "image", "export", image_id, "--output", tmp_path / "copy.raw"], env=environment)
    assert (tmp_path / "copy.raw").read_bytes() == disk.read_bytes()
    # Neither the catalogue nor chunks are in the data directory.
    files = {file.name for file in (tmp_path / "compose/data/jingku").iterdir()}
    assert {"database", "storage"} <= files and not {"catalog.db", "store"} & files, files
