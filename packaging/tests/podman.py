"""Podman with its own storage, which is removed with its containers."""

import json
import subprocess
from pathlib import Path

# What Podman needs on a machine without CAP_SYS_RESOURCE and with both cgroup hierarchies.
CONTAINERS_CONF = """[containers]
default_ulimits = ["nofile=20000:20000", "nproc=20000:20000"]
[engine]
cgroup_manager = "cgroupfs"
runtime = "runc"
events_logger = "file"
[network]
network_backend = "netavark"
network_config_dir = "{networks}"
"""


def finish(command, **options) -> str:
    """Runs a command, which must succeed, and returns its standard output."""
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120, **options)
    assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


class Podman:
    def __init__(self, folder: Path):
        self.folder = folder
        self.conf = folder / "containers.conf"
        self.conf.write_text(CONTAINERS_CONF.format(networks=folder / "networks"))

    def command(self, *arguments) -> list:
        storage = ["--root", self.folder / "storage", "--runroot", self.folder / "run"]
        return ["env", f"CONTAINERS_CONF={self.conf}", "podman", *storage, *arguments]

    def run(self, *arguments) -> str:
        return finish(self.command(*arguments))

    def inspect(self, kind, name) -> dict:
        return json.loads(self.run(kind, "inspect", name))[0]

    def close(self):
        self.run("rm", "--force", "--all", "--volumes", "--time", "0")
        self.run("rmi", "--force", "--all")
