"""Requests written by hand for lists of images, their creation and their export."""

import hashlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from daemon import REGION, ZONE

LIST = "DescribeCompShareCustomImages"


def refuse(name) -> tuple:
    return 230, f"Params [{name}] not available"


# The list


@pytest.mark.parametrize("limit", ["101", "1000", "-1", "20.5", "abc", "1e1", "99999999999999999999"])
def test_refused_limits(owner, limit):
    assert owner.call(LIST, Limit=limit).answer == refuse("Limit")
    assert owner.call("DescribeCompShareInstance", Limit=limit).answer == refuse("Limit")


@pytest.mark.parametrize("limit", ["", "0", "1", "100"])
def test_accepted_limits(owner, limit):
    assert owner.ok(LIST, Limit=limit)["TotalCount"] == 1


@pytest.mark.parametrize("offset", ["-1", "1.5", "abc", str(2**63)])
def test_refused_offsets(owner, offset):
    assert owner.call(LIST, Offset=offset).answer == refuse("Offset")


@pytest.mark.parametrize("offset", ["1", "1000000", str(2**63 - 1)])
def test_a_page_past_the_end_is_empty_with_the_true_count(owner, offset):
    page = owner.ok(LIST, Offset=offset)
    assert (page["ImageSet"], page["TotalCount"], page["NextToken"]) == ([], 1, "")


def test_region_and_zone_must_exist_and_filter_the_list(owner):
    zones = owner.ok("DescribeCompShareSupportZone")["ZoneInfo"]
    assert owner.ok(LIST, Region="", Zone="")["TotalCount"] == 1
    assert owner.ok(LIST, Region=REGION)["TotalCount"] == 1
    assert owner.ok(LIST, Zone=ZONE)["TotalCount"] == 1
    assert owner.call(LIST, Region="cn-nowhere").answer == refuse("Region")
    assert owner.call(LIST, Region=REGION.upper()).answer == refuse("Region")
    assert owner.call(LIST, Zone="cn-nowhere-01").answer == refuse("Zone")
    elsewhere = [zone for zone in zones if zone["Region"] != REGION]
    assert elsewhere, "the default configuration knows one region only"
    for zone in elsewhere:
        assert owner.ok(LIST, Region=zone["Region"], Zone=zone["Zone"])["TotalCount"] == 0
        assert owner.call(LIST, Region=REGION, Zone=zone["Zone"]).answer == refuse("Zone")
        assert owner.ok("DescribeCompShareInstance", Region=zone["Region"])["TotalCount"] == 0


# Creation and export


def test_four_concurrent_creates_make_one_image(account):
    # The JS SDK repeats a call after any error; a person may click twice.
    instance = account.add_instance()
    with ThreadPoolExecutor(4) as threads:
        call = lambda _: account.call("CreateCompShareCustomImage", UHostId=instance, Name="once")  # noqa: E731
        codes = sorted(reply.ret_code for reply in threads.map(call, range(4)))
    assert codes[0] == 0 and all(code in (230, 8964) for code in codes[1:]), codes
    assert len(account.images()) == 1


def test_an_export_returns_the_same_bytes(owner):
    disk = owner.disk(owner.instance)
    raw = owner.call("ExportCompShareCustomImage", CompShareImageId=owner.image)
    assert (raw.status, raw.headers["Content-Type"]) == (200, "application/octet-stream")
    assert int(raw.headers["Content-Length"]) == len(raw.body) == disk.stat().st_size
    assert raw.headers["X-UCLOUD-REQUEST-UUID"]
    assert hashlib.sha256(raw.body).digest() == hashlib.sha256(disk.read_bytes()).digest()


def test_images_that_cannot_be_exported(account, slow_instance):
    export = "ExportCompShareCustomImage"
    image = account.start_making("unfinished", slow_instance)
    assert account.call(export, CompShareImageId=image).answer == (8017, f"Image [{image}] is not available")
    assert account.call(export).answer == (210, "Missing params [CompShareImageId]")
    assert account.call(export, CompShareImageId="x").answer == (8039, "Resource not exist [x]")
    account.ok("TerminateCompShareCustomImage", CompShareImageId=image)
