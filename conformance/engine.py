"""Podman with a storage of its own, and an image of a static BusyBox."""

import os
import shutil
import subprocess
import time
from pathlib import Path

START_SECONDS_MAX = 60

# What Podman needs on a machine without CAP_SYS_RESOURCE and with both cgroup hierarchies.
CONF = """[containers]
default_ulimits = ["nofile=20000:20000", "nproc=20000:20000"]
[engine]
cgroup_manager = "cgroupfs"
runtime = "runc"
events_logger = "file"
"""

# Ends when it is asked to, as a container should.
SLEEP = "trap 'exit 0' TERM; while :; do sleep 0.1; done"


class Engine:
    """A running service of Podman."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "containers.conf").write_text(CONF)
        self.environment = {**os.environ, "CONTAINERS_CONF": str(folder / "containers.conf")}
        self.url = f"unix://{folder}/engine.sock"
        command = [*self._podman(), "system", "service", "-t", "0", self.url]
        self.service = subprocess.Popen(command, env=self.environment, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + START_SECONDS_MAX
        while not (folder / "engine.sock").exists():
            assert time.monotonic() < deadline, "Podman does not start"
            time.sleep(0.05)
        self._import_base()

    def run(self, *arguments) -> str:
        command = [*self._podman(), *arguments]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, f"{command}: {done.stderr}"
        return done.stdout.strip()

    def container(self, name: str, **labels) -> None:
        """Starts a container that keeps running."""
        flags = [word for label, value in labels.items() for word in ("--label", f"jingku.{label}={value}")]
        self.run("run", "-d", "--network=none", "--name", name, *flags, "base", "/bin/sh", "-c", SLEEP)

    def stop(self) -> None:
        self.run("rm", "-fa")
        self.service.terminate()
        self.service.wait()
        subprocess.run(["umount", self.folder / "root" / "overlay"], stderr=subprocess.DEVNULL)

    def _podman(self) -> list:
        stores = [("--root", "root"), ("--runroot", "run"), ("--tmpdir", "tmp")]
        return ["podman", "--log-level=error", *(word for option, name in stores for word in (option, self.folder / name))]

    def _import_base(self) -> None:
        base = self.folder / "base"
        for name in ("bin", "etc", "root", "tmp", "proc", "sys", "dev"):
            (base / name).mkdir(parents=True)
        shutil.copy("/bin/busybox", base / "bin/busybox")
        for name in ("sh", "sleep", "cat", "echo"):
            (base / "bin" / name).symlink_to("busybox")
        (base / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
        # The server sets the password of root with this program.
        (base / "bin/chpasswd").write_text("#!/bin/sh\ncat > /root/password\n")
        (base / "bin/chpasswd").chmod(0o755)
        archive = shutil.make_archive(str(base), "tar", base)
        self.run("import", archive, "base")
