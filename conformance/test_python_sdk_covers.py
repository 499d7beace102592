"""Covers, as the Python SDK sends them."""

import base64
import json
import re
import struct
import urllib.error
import urllib.request
import zlib

import pytest

from daemon import ZONE
from sdk import answer


def png(width: int, height: int, remark: str) -> bytes:
    """Returns a grey picture. Different remarks give different bytes."""

    def chunk(name: bytes, content: bytes) -> bytes:
        checksum = zlib.crc32(name + content)
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    lines = zlib.compress((b"\0" + b"\x80" * width) * height)
    chunks = chunk(b"IHDR", head) + chunk(b"tEXt", b"Comment\0" + remark.encode()) + chunk(b"IDAT", lines)
    return b"\x89PNG\r\n\x1a\n" + chunks + chunk(b"IEND", b"")


def test_a_cover_is_sent_as_base64_and_read_by_url(account):
    api = account.sdk().ucompshare()
    by_id = {"Zone": ZONE, "CompShareImageId": account.make("with-a-cover")}

    def cover() -> str:
        [row] = api.describe_comp_share_custom_images(by_id)["ImageSet"]
        return row["Cover"]

    assert cover() == ""
    for dress in ("{}", "data:image/png;base64,{}"):
        picture = png(64, 48, dress)
        text = dress.format(base64.b64encode(picture).decode())
        assert api.update_comp_share_image({**by_id, "Cover": text}) == {}
        url = cover()
        assert re.fullmatch(re.escape(account.daemon.base_url) + "/covers/[0-9a-z]{24}", url)
        with urllib.request.urlopen(url) as served:
            assert served.read() == picture
            assert served.headers["Content-Type"] == "image/png"

    assert answer(api.update_comp_share_image, {**by_id, "Cover": "aGk="}) == (230, "Params [Cover] not available")
    assert cover() == url
    assert api.update_comp_share_image({**by_id, "Cover": ""}) == {}
    assert cover() == ""
    with pytest.raises(urllib.error.HTTPError) as gone:
        urllib.request.urlopen(url)
    assert gone.value.code == 404 and json.load(gone.value)["RetCode"] == 8039
