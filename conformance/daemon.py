"""A spawned `jingku serve` with its accounts and instances, controlled only through the binary."""

import base64
import itertools
import json
import os
import random
import re
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from ucloud.client import Client

import wire

REGION = "cn-wlcb"
ZONE = "cn-wlcb-01"
MIB = 1024 * 1024
START_SECONDS_MAX = 10
STOP_SECONDS_MAX = 20
MAKE_SECONDS_MAX = 120

_numbers = itertools.count(1)


def clean_environment(home: Path, **more: str) -> dict:
    """The environment of a child process: its own home, no keys, no proxies, none of the caller's settings."""
    dropped = re.compile(r"JINGKU_|COMPSHARE_|UCLOUD_|XDG_|.*_proxy$", re.IGNORECASE)
    kept = {name: value for name, value in os.environ.items() if not dropped.match(name)}
    return {**kept, "HOME": str(home), "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "NO_PROXY": "*", **more}


def make_disk(path: Path, size: int, extents: int = 3, extent: int = 64 * 1024) -> Path:
    """Writes a sparse raw disk with some random extents, the last one at its end."""
    content = random.Random(str(path))
    with path.open("wb") as disk:
        disk.truncate(size)
        for index in range(extents):
            length = min(extent, size)
            disk.seek((size - length) * (index + 1) // extents)
            disk.write(content.randbytes(length))
    assert path.stat().st_size == size
    return path


@dataclass
class Account:
    """A key pair on the server under test, and the calls that tests make with it."""

    daemon: "Daemon"
    id: str
    public_key: str
    private_key: str

    def sdk(self, **config) -> Client:
        """Returns the Python SDK, configured as its users do."""
        keys = {"public_key": self.public_key, "private_key": self.private_key}
        return Client({"base_url": self.daemon.base_url, "region": REGION, **keys, **config})

    def signed(self, action, **params) -> dict:
        return wire.signed({"Action": action, "PublicKey": self.public_key, **params}, self.private_key)

    def call(self, action, **params) -> wire.Reply:
        """Sends a signed form."""
        return wire.post_form(self.daemon.base_url, self.signed(action, **params))

    def ok(self, action, **params) -> dict:
        """Sends a signed form, which must succeed."""
        reply = self.call(action, **params)
        assert reply.ret_code == 0, reply
        return reply.json

    def add_instance(self, size=MIB, zone=ZONE, image=None, **shape) -> str:
        """Declares a new disk as an instance of this account, started from `image` if one is given."""
        instance = f"uhost-conf{next(_numbers)}"
        self.disk(instance).parent.mkdir(exist_ok=True)
        make_disk(self.disk(instance), size, **shape)
        add = ["instance", "add", "--id", instance, "--disk", self.disk(instance), "--zone", zone]
        started = ["--image", image] if image else []
        self.daemon.run(*add, *started, "--account", self.id)
        return instance

    def disk(self, instance) -> Path:
        return self.daemon.folder / "disks" / f"{instance}.raw"

    def start_making(self, name, instance=None, **params) -> str:
        instance = instance or self.add_instance()
        made = self.ok("CreateCompShareCustomImage", UHostId=instance, Name=name, **params)
        return made["CompShareImageId"]

    def wait(self, *images) -> dict:
        """Waits until each image is made. Returns the last progress."""
        progress = {}
        for image in images:
            deadline = time.monotonic() + MAKE_SECONDS_MAX
            while progress.get("Status") != "Available" or progress["image"] != image:
                progress = self.ok("GetCompShareImageCreateProgress", CompShareImageId=image)
                progress["image"] = image
                assert progress["Status"] in ("Making", "Available"), progress
                assert time.monotonic() < deadline, f"{image} is still being made: {progress}"
                time.sleep(0.02)
        return progress

    def make(self, name, instance=None, **params) -> str:
        image = self.start_making(name, instance, **params)
        self.wait(image)
        return image

    def images(self, **params) -> list:
        return self.ok("DescribeCompShareCustomImages", **params)["ImageSet"]


@dataclass
class Daemon:
    """A running server with its own data directory."""

    binary: Path
    folder: Path
    first: Account = None
    base_url: str = ""
    process: subprocess.Popen = None
    environment: dict = field(default_factory=dict)
    options: list = field(default_factory=list)

    def start(self) -> None:
        # Real public keys contain `+` and `/`, which are lost when a client forgets to encode them.
        public_key = base64.b64encode(b"\xfb\xff" + os.urandom(46)).decode()
        private_key = base64.b64encode(os.urandom(48)).decode()
        assert public_key.startswith("+/")
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        self.environment = clean_environment(home)
        keys = {"JINGKU_PUBLIC_KEY": public_key, "JINGKU_PRIVATE_KEY": private_key}
        with self.stdout.open("wb") as stdout, self.stderr.open("wb") as stderr:
            command = [self.binary, "serve", "--data-dir", self.data, "--listen", "127.0.0.1:0", *self.options]
            environment = {**self.environment, **keys}
            self.process = subprocess.Popen(command, stdout=stdout, stderr=stderr, env=environment)
        self.base_url = self._first_line()
        assert re.fullmatch(r"https?://127\.0\.0\.1:[1-9]\d*", self.base_url), self.base_url
        self.first = Account(self, "1", public_key, private_key)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise

    def create_account(self) -> Account:
        name = f"account-{next(_numbers)}"
        made = json.loads(self.run("account", "create", name, "--json"))
        return Account(self, str(made["AccountId"]), made["PublicKey"], made["PrivateKey"])

    def run(self, *arguments) -> str:
        command = [self.binary, *arguments, "--data-dir", self.data]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def log(self) -> str:
        return self.stderr.read_text(errors="replace")

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def stdout(self) -> Path:
        return self.folder / "stdout"

    @property
    def stderr(self) -> Path:
        return self.folder / "stderr"

    def _first_line(self) -> str:
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline:
            lines = self.stdout.read_text().splitlines(keepends=True)
            if lines and lines[0].endswith("\n"):
                return lines[0].rstrip("\n")
            assert self.process.poll() is None, f"exit code {self.process.returncode}\n{self.log()}"
            time.sleep(0.01)
        self.process.kill()
        raise AssertionError(f"not ready after {START_SECONDS_MAX} s\n{self.log()}")
