"""The container image: built by Podman from nothing, and started as people start it."""

import subprocess

import pytest

from podman import finish

OPTIONS = ["--detach", "--network=host", "--env=JINGKU_LISTEN=127.0.0.1:0", "--volume=jingku:/var/lib/jingku"]
# It needs nothing else.
TIGHT = ["--read-only", "--cap-drop=all", "--security-opt=no-new-privileges", "--memory=256m"]


@pytest.fixture(scope="module")
def image(podman, packages) -> str:
    podman.run("build", "--quiet", "--format=docker", "--tag=jingku", packages / "image")
    return "jingku"


@pytest.fixture
def container(podman, image) -> str:
    podman.run("run", "--name=server", *OPTIONS, *TIGHT, image, "serve", "--demo")
    yield "server"
    podman.run("rm", "--force", "server")


def wait_until_ready(podman, container) -> str:
    """Waits until the demo has made its image. Returns the address, which is the first line of the log."""
    follow = subprocess.Popen(podman.command("logs", "--follow", container), stdout=subprocess.PIPE, text=True)
    try:
        address = follow.stdout.readline().strip()
        assert any("instance list" in line for line in follow.stdout), podman.run("logs", container)
        return address
    finally:
        follow.kill()
        follow.wait()


def test_the_image_is_small_and_not_root(podman, image):
    shape = podman.inspect("image", image)
    assert shape["Config"]["User"] == "65532:65532"
    assert shape["Healthcheck"]["Test"] == ["CMD", "/usr/bin/jingku", "health"]
    assert len(shape["RootFS"]["Layers"]) <= 2
    assert podman.run("run", "--rm", "--network=none", image, "--version").startswith("jingku ")


def test_a_container_serves_and_is_healthy(podman, container, jingku, tmp_path):
    base_url = wait_until_ready(podman, container)
    assert "is ready" in finish([jingku, "health", "--base-url", base_url], cwd=tmp_path)
    podman.run("healthcheck", "run", container)
    assert "my-custom-env" in podman.run("exec", container, "jingku", "image", "list")


def test_the_default_command_serves_on_every_address(podman, image):
    podman.run("run", "--detach", "--name=default", "--network=none", *TIGHT, image)
    try:
        follow = subprocess.Popen(podman.command("logs", "--follow", "default"), stdout=subprocess.PIPE, text=True)
        assert follow.stdout.readline().strip().endswith(":8480")
        podman.run("healthcheck", "run", "default")
        follow.kill()
        follow.wait()
    finally:
        podman.run("rm", "--force", "--time=5", "default")


def test_a_new_container_has_the_data_of_the_old_one(podman, container):
    wait_until_ready(podman, container)
    before = podman.run("exec", container, "jingku", "key", "list")
    podman.run("stop", "--time=30", container)
    assert podman.inspect("container", container)["State"]["ExitCode"] == 0
    podman.run("start", container)
    wait_until_ready(podman, container)
    assert podman.run("exec", container, "jingku", "key", "list") == before
