"""The Debian package under a real systemd: the machine's own files below an overlay, in a container."""

import json
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from conftest import ROOT
from podman import finish

DATA = "/var/lib/jingku"
FIXTURES = ROOT / "crates/jingku/tests/fixtures/data"
EXPOSURE_MAX = 15  # tenths, as `systemd-analyze security` counts them
START_SECONDS_MAX = 30


class Machine:
    def __init__(self, podman, shared: Path):
        self.podman = podman
        # systemd needs its hierarchy of control groups: version 1 has one of its own.
        groups = Path("/sys/fs/cgroup/systemd")
        mounts = ["--volume", f"{groups}:{groups}"] if groups.exists() else []
        for folder in ("/tmp", "/run"):
            mounts += ["--mount", f"type=tmpfs,destination={folder},notmpcopyup"]
        options = ["--privileged", "--network=none", "--systemd=false", "--env=container=podman"]
        init = ["--rootfs", "/:O", "/sbin/init", "systemd.unit=basic.target"]
        podman.run("run", "--detach", "--name=machine", *options, *mounts, f"--volume={shared}:/mnt", *init)
        self.until("systemctl is-system-running", "running")
        # Images of containers forbid packages to start services.
        self.run("rm -f /usr/sbin/policy-rc.d")

    def run(self, script) -> str:
        return self.podman.run("exec", "machine", "sh", "-ec", script)

    def jingku(self, arguments):
        return json.loads(self.run(f"jingku --json --data-dir {DATA} {arguments}"))

    def until(self, script, expected):
        """Runs a command until it prints this line. While systemd starts, it fails."""
        deadline = time.monotonic() + START_SECONDS_MAX
        while (last := self.run(f"{script} 2>&1 || true").strip()) != expected:
            assert time.monotonic() < deadline, f"{script}: {last}\n{self.run('journalctl --no-pager -n 30 || true')}"
            time.sleep(0.1)

    def status(self, name) -> str:
        return self.run(f"systemctl show jingku --value --property={name}").strip()

    def drop_in(self, *settings):
        """Restarts the service with these settings instead of those of an earlier call."""
        folder = "/etc/systemd/system/jingku.service.d"
        text = "\\n".join(["[Service]", *settings, ""])
        self.run(f"mkdir -p {folder}; printf '{text}' > {folder}/test.conf")
        self.run("systemctl daemon-reload; systemctl restart jingku")

    def assert_owned(self):
        """Every file belongs to the service: a command that root ran has left none of its own."""
        owners = self.run(f"find {DATA}/ -printf '%u %P\\n'").splitlines()
        assert [line for line in owners if not line.startswith("jingku ")] == []


@pytest.fixture(scope="module")
def package(packages) -> Path:
    [package] = packages.glob("deb/jingku_*.deb")
    return package


@pytest.fixture(scope="module")
def shared(package, tmp_path_factory) -> Path:
    """A folder with this package, the same with a lower version, and the newest data folder of a test archive."""
    shared = tmp_path_factory.mktemp("shared")
    shutil.copy(package, shared / "new.deb")
    unpacked = shared / "unpacked"
    finish(["dpkg-deb", "--raw-extract", package, unpacked])
    control = unpacked / "DEBIAN/control"
    control.write_text(control.read_text().replace("\nVersion: ", "\nVersion: 0~"))
    finish(["dpkg-deb", "--build", "-Zzstd", unpacked, shared / "old.deb"])
    newest = max(FIXTURES.glob("schema-*.tar.gz"))
    finish(["tar", "-xzf", newest, "-C", shared, "data"])
    return shared


@pytest.fixture(scope="module")
def machine(podman, shared) -> Machine:
    return Machine(podman, shared)


# The tests of this file run in order, on one machine.


def test_an_installed_package_runs(machine):
    machine.run("dpkg --install /mnt/old.deb")
    assert machine.status("ActiveState") == "active"
    assert machine.status("UnitFileState") == "enabled"
    assert machine.run(f"jingku health --data-dir {DATA}").strip() == "http://127.0.0.1:8480 is ready."
    assert machine.run(f"stat --format=%a:%U {DATA}/").strip() == "700:jingku"
    for page in ("jingku", "jingku-serve"):
        assert machine.run(f"man --where {page}").strip() == f"/usr/share/man/man1/{page}.1.gz"
    machine.run("test -s /usr/share/man/zh_CN/man1/jingku.1.gz")


def test_the_unit_is_valid_and_hardened(machine):
    assert machine.run("systemd-analyze verify jingku.service 2>&1").strip() == ""
    machine.run(f"systemd-analyze security --no-pager --threshold={EXPOSURE_MAX} jingku.service")


def test_the_service_makes_an_image_with_qemu_img(machine):
    machine.drop_in("SupplementaryGroups=games")
    # Only qemu-img reads this compression, so the filter of system calls must allow it.
    create = "qemu-img create -q -f qcow2 -o compression_type=zstd /srv/disk.qcow2 64M"
    machine.run(f"{create}; qemu-io -c 'write -P 7 0 1M' /srv/disk.qcow2")
    machine.run("chgrp games /srv/disk.qcow2; chmod 640 /srv/disk.qcow2")
    machine.run(f"jingku --data-dir {DATA} instance add --id uhost-1 --disk /srv/disk.qcow2")
    image = machine.jingku("image create --instance uhost-1 --name env --wait")
    assert image["Status"] == "Available"
    image_id = image["CompShareImageId"]
    machine.run(f"jingku --data-dir {DATA} image export {image_id} --format qcow2 -o /srv/copy.qcow2")
    assert "identical" in machine.run("qemu-img compare /srv/disk.qcow2 /srv/copy.qcow2")


def test_commands_of_root_leave_the_files_to_the_service(machine):
    commands = ("key create", "sweep", "check --read-data", "usage", "backup /srv/backup")
    for state in ("started", "stopped"):
        if state == "stopped":
            machine.run("systemctl stop jingku")
        for command in (f"account create {state}", *commands):
            machine.run(f"jingku --data-dir {DATA} {command}")
        machine.run("systemctl start jingku")
        machine.assert_owned()
    machine.run(f"jingku health --data-dir {DATA}")


def test_a_restored_backup_belongs_to_the_service(machine):
    machine.run(
        """systemctl stop jingku
jingku backup /srv/whole --with-master-key --data-dir /var/lib/jingku
jingku restore /srv/whole --data-dir /var/lib/private/restored
rm -r /var/lib/private/jingku
mv /var/lib/private/restored /var/lib/private/jingku
systemctl start jingku"""
    )
    machine.assert_owned()
    assert [image["Name"] for image in machine.jingku("image list")["ImageSet"]] == ["env"]


def test_a_server_that_hangs_is_restarted(machine):
    machine.drop_in("WatchdogSec=2", "RestartSec=0")
    # Longer than the watchdog: the server feeds it.
    time.sleep(4)
    assert machine.status("NRestarts") == "0"
    machine.run(f"kill -STOP {machine.status('MainPID')}")
    machine.until("systemctl show jingku --value --property=NRestarts", "1")
    machine.until(f"jingku health --data-dir {DATA}", "http://127.0.0.1:8480 is ready.")
    assert "watchdog" in machine.run("journalctl --no-pager --unit jingku").lower()
    machine.drop_in()


def test_an_upgrade_keeps_data_and_configuration(machine):
    machine.run(
        f"""systemctl stop jingku
owner=$(stat --format=%u:%g {DATA}/)
rm -r {DATA}/*
cp -r /mnt/data/. {DATA}/
chown -R "$owner" {DATA}/
printf '[trash]\\nkeep_days = 65535\\n' > /etc/jingku/jingku.toml
dpkg --install /mnt/new.deb"""
    )
    assert machine.status("ActiveState") == "active"
    assert machine.run("cat /etc/jingku/jingku.toml") == "[trash]\nkeep_days = 65535\n"
    names = {image["Name"] for image in machine.jingku("image list")["ImageSet"]}
    assert names == {"plain", "public", "shared", "container"}
    assert machine.jingku("check --read-data")["Clean"] is True
    assert len(machine.jingku("trash list")) == 1
    machine.assert_owned()


def test_a_purged_package_leaves_the_images(machine):
    machine.run("dpkg --remove jingku")
    assert machine.run("systemctl is-active jingku || true").strip() == "inactive"
    machine.run("test -e /etc/jingku/jingku.toml; test ! -e /usr/bin/jingku; test -e /var/lib/private/jingku/catalog.db")
    assert "are kept" in machine.run("dpkg --purge jingku")
    machine.run("test ! -e /etc/jingku; test -e /var/lib/private/jingku/catalog.db")
    assert machine.run("systemctl list-unit-files --no-legend 'jingku*' || true") == ""


def test_the_example_configuration_is_valid(package, serve, tmp_path):
    finish(["dpkg-deb", "--extract", package, tmp_path])
    example = tmp_path / "etc/jingku/jingku.toml"
    _, server = serve("--config", example)
    server.send_signal(signal.SIGTERM)
    assert server.wait(30) == 0
    # Settings have no space after the mark, sentences do.
    lines = [line[1:] if line[:1] == "#" and line[1:2] != " " else line for line in example.read_text().splitlines()]
    disk = tmp_path / "disk.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", disk, "1M"], check=True)
    text = "\n".join(lines).replace("/srv/disks/trainer.qcow2", str(disk))
    assert text.count("[") >= 5
    example.write_text(text.replace("unix:///run/podman/podman.sock", "none"))
    _, server = serve("--config", example)
    server.send_signal(signal.SIGTERM)
    assert server.wait(30) == 0
