"""Code that uses the image API, and its tests: it pages, asks again, and survives an image that cannot be made."""

import logging
import time

import pytest
from ucloud.client import Client
from ucloud.core.exc import RetCodeException

# The SDK prints every request and response; a failed test should not drown in them.
logging.getLogger("ucloud").setLevel(logging.WARNING)

# --- the code under test -------------------------------------------------------------------------------------------

THROTTLED = 153
ZONE = "cn-wlcb-01"


def all_images(api):
    """Returns every image of the account, in pages of 100. A throttled page is requested again."""
    images, waits = [], [0.01, 0.02, 0.04]
    while True:
        try:
            page = api.describe_comp_share_custom_images({"Zone": ZONE, "Limit": 100, "Offset": len(images)})
        except RetCodeException as error:
            if error.code != THROTTLED or not waits:
                raise
            time.sleep(waits.pop(0))
            continue
        images += page["ImageSet"]
        if len(images) >= page["TotalCount"] or not page["ImageSet"]:
            return images


def look(api, image):
    """Returns the current state of an image."""
    return api.describe_comp_share_custom_images({"Zone": ZONE, "CompShareImageId": image})["ImageSet"][0]


def save(api, name, instances):
    """Creates an image of the first instance that allows it."""
    reasons = []
    for instance in instances:
        request = {"Zone": ZONE, "UHostId": instance, "Name": name}
        image = api.create_comp_share_custom_image(request)["CompShareImageId"]
        while (row := look(api, image))["Status"] == "Making":
            time.sleep(0.02)
        if row["Status"] == "Available":
            return image
        reasons.append(row["FailedReason"])
    raise RuntimeError(f"no image: {reasons}")


# --- its tests -----------------------------------------------------------------------------------------------------


@pytest.fixture
def api(jingku):
    return Client(jingku.config).ucompshare()


def test_all_pages_are_read(api, jingku):
    images = all_images(api)
    assert [image["Name"] for image in images] == [f"nightly-{number}" for number in range(250, 0, -1)]
    offsets = [entry["params"]["Offset"] for entry in jingku.trace()]
    assert [int(offset) for offset in offsets] == [0, 100, 200]
    assert not any(entry["missing"] for entry in jingku.trace())


def test_a_throttled_call_is_retried(api, jingku):
    jingku.fail("DescribeCompShareCustomImages", THROTTLED, "Request Throttled", times=2)
    assert len(all_images(api)) == 250
    assert [entry["ret_code"] for entry in jingku.trace()] == [THROTTLED, THROTTLED, 0, 0, 0]


def test_retries_end(api, jingku):
    jingku.fail("DescribeCompShareCustomImages", THROTTLED, times=4)
    with pytest.raises(RetCodeException):
        all_images(api)


def test_a_failed_image_is_handled(api, jingku):
    image = save(api, "mine", ["uhost-worn-out", "uhost-trainer"])
    mine = {row["Status"]: row for row in all_images(api) if row["Name"] == "mine"}
    assert mine["Available"]["CompShareImageId"] == image
    assert "disk changed" in mine["UnAvailable"]["FailedReason"]


def test_a_slow_image_is_awaited(api, jingku):
    jingku.set_clock(1_900_000_000)
    jingku.hold(40)
    request = {"Zone": ZONE, "UHostId": "uhost-trainer", "Name": "slow"}
    image = api.create_comp_share_custom_image(request)["CompShareImageId"]
    deadline, percent = time.monotonic() + 10, 0
    while percent < 40 and time.monotonic() < deadline:
        progress = {"Zone": ZONE, "CompShareImageId": image}
        percent = api.get_comp_share_image_create_progress(progress)["Process"]
    assert (percent, look(api, image)["Status"]) == (40, "Making")
    jingku.release()
    while look(api, image)["Status"] == "Making" and time.monotonic() < deadline:
        time.sleep(0.02)
    assert (look(api, image)["Status"], look(api, image)["CreateTime"]) == ("Available", 1_900_000_000)


def test_every_test_starts_from_the_fixtures(api, jingku):
    assert api.describe_comp_share_custom_images({"Zone": ZONE})["TotalCount"] == 250
    assert jingku.state()["clock"]["stands"] is False
