"""Pages of the list, as the Python SDK reads them."""

from daemon import ZONE
from sdk import answer


def test_pages_of_25_images(account):
    images = [account.start_making(f"image-{n:02}") for n in range(25)]
    account.wait(*images)

    typed = account.sdk().ucompshare().describe_comp_share_custom_images
    pages = [typed({"Zone": ZONE, "Limit": 10, "Offset": offset}) for offset in (0, 10, 20, 25, 10**12)]
    assert [len(page["ImageSet"]) for page in pages] == [10, 10, 5, 0, 0]
    assert {page["TotalCount"] for page in pages} == {25}
    rows = [row for page in pages for row in page["ImageSet"]]
    assert [row["CompShareImageId"] for row in rows] == images[::-1], "the last created first"
    times = [row["CreateTime"] for row in rows]
    assert times == sorted(times, reverse=True)

    default = typed({"Zone": ZONE})["ImageSet"]
    assert default == typed({"Zone": ZONE, "Limit": 0})["ImageSet"] == rows[:20]
    assert typed({"Zone": ZONE, "Limit": 100})["ImageSet"] == rows


def test_next_token_neither_skips_nor_repeats(account):
    client = account.sdk()
    listing = "DescribeCompShareCustomImages"
    images = [account.start_making(f"image-{n}") for n in range(6)]
    account.wait(*images)

    first = client.invoke(listing, {"Limit": 2})
    assert first["NextToken"] and len(first["ImageSet"]) == 2
    # The list changes: a listed image is deleted, a new one is added.
    seen = [row["CompShareImageId"] for row in first["ImageSet"]]
    client.invoke("TerminateCompShareCustomImage", {"CompShareImageId": seen[0]})
    newcomer = account.make("newcomer")

    token = first["NextToken"]
    while token:
        # SDKs that always send an offset of 0 must not be refused.
        page = client.invoke(listing, {"Limit": 2, "Offset": 0, "NextToken": token})
        assert page["TotalCount"] == 6 and 0 < len(page["ImageSet"]) <= 2
        seen += [row["CompShareImageId"] for row in page["ImageSet"]]
        token = page["NextToken"]
        assert len(seen) <= 7, "the token leads nowhere"
    assert len(seen) == len(set(seen))
    # The new image may have the same second as the others, and its id may then place it after the first page.
    assert set(seen) - {newcomer} == set(images)

    refused = (230, "Params [NextToken] not available")
    both = {"Limit": 2, "Offset": 1, "NextToken": first["NextToken"]}
    assert answer(client.invoke, listing, both) == refused
    assert answer(client.invoke, listing, {"NextToken": "made-up"}) == refused
    assert client.invoke(listing, {"Limit": 6})["NextToken"] == ""
