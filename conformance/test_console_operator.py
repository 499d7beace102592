"""The pages of the operator in a real browser, over a server with a data directory."""

import base64
import json
import os
import struct
import time
import zlib
from pathlib import Path

import pytest

from browser import run_script
from conftest import DEFAULT_BINARY
from daemon import Daemon


def picture(width=240, height=240):
    """A PNG with two colours, in Base64."""
    rows = b"".join(
        b"\0" + b"".join((b"\x1f\x6f\x5c" if (x // 40 + y // 40) % 2 else b"\xe3\xf0\xec") for x in range(width))
        for y in range(height)
    )
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    png = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
    return base64.b64encode(png).decode()


COVER = picture()


@pytest.fixture
def operated(tmp_path):
    """A server with images that wait for review, an image that its scrub has found corrupted, and a backup."""
    daemon = Daemon(Path(os.environ.get("JINGKU_BIN", DEFAULT_BINARY)).resolve(), tmp_path / "server")
    daemon.folder.mkdir()
    daemon.start()
    owner = daemon.create_account()
    instance = owner.add_instance()
    readme = "# Start\n\nRun `vllm serve` and open port **8000**.\n\n| Port | Use |\n|---|---|\n| 8000 | API |\n"
    for number in range(12):
        image = owner.make(f"serving-{number}", instance, Description="vLLM with Qwen weights")
        owner.ok("PublishCompShareImage", CompShareImageId=image, CommunityImageName=f"Qwen serving {number}", Price=0.5,
                 VersionName="v1.0", VersionDesc="First version", Readme=readme, Cover=COVER, **{"Tags.0": "vllm"})
    daemon.run("backup", tmp_path / "backup")
    chunks = set((daemon.data / "store" / "chunks").rglob("*"))
    owner.make("broken-weights")
    assert daemon.stop() == 0, daemon.log()
    for chunk in set((daemon.data / "store" / "chunks").rglob("*")) - chunks:
        if chunk.is_file():
            chunk.chmod(0o600)
            chunk.write_bytes(b"\0" * chunk.stat().st_size)
    # The scrub begins anew.
    (daemon.data / "scrub").unlink(missing_ok=True)
    daemon.start()
    try:
        deadline = time.monotonic() + 60
        while not (json.loads(daemon.run("check", "--status", "--json"))["Scrub"] or {}).get("DamagedImages"):
            assert time.monotonic() < deadline, "the scrub finds the corrupted image"
            time.sleep(0.2)
        yield daemon
    finally:
        assert daemon.stop() == 0, daemon.log()


def test_operator_pages_in_both_languages(operated, scripts, screenshots):
    link = operated.run("console", "--operator", "--no-open").splitlines()[0]
    assert link.startswith(f"{operated.base_url}/console/sign-in?link=")
    run_script(scripts, "operate.mjs", operated.base_url, operated.data, screenshots, operated.binary)
    entries = json.loads(operated.run("audit", "list", "--json"))
    assert {"console"} == {entry["Channel"] for entry in entries if entry["Action"] == "review approve"}
