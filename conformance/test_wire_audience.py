"""Requests that no SDK sends, for the actions on shared and published images."""

import json

import pytest

import wire
from test_wire import flat


@pytest.mark.parametrize(
    "accounts",
    [lambda id: {"AddAccounts": [int(id)]}, lambda id: {"AddAccounts": [id]}, lambda id: {"AddAccounts.3": id},
     lambda id: {"AddAccounts": int(id)}, lambda id: {"AddAccounts": f"[{id}]"}],
    ids=["nested", "nested text", "dotted with a gap", "one number", "list as text"],
)  # fmt: skip
def test_every_spelling_of_accounts_to_share_with(account, daemon, accounts):
    image, other = account.make("shared"), daemon.create_account()
    params = account.signed("ModifyCompShareImageShareAccount", CompShareImageId=image, **accounts(other.id))
    reply = wire.post_json(daemon.base_url, params)
    assert reply.json["InvalidAccounts"] == [] and reply.ret_code == 0, reply
    assert [row["CompShareImageId"] for row in other.ok("DescribeCompShareSharingImages")["ImageSet"]] == [image]


@pytest.mark.parametrize(
    "spelling",
    [lambda tags: {"Tag": tags}, lambda tags: {"Tag": str(tags)}, lambda tags: {"Tag": json.dumps(tags)},
     lambda tags: flat({"Tag": tags})],
    ids=["nested", "Python's list", "JSON text", "dotted"],
)  # fmt: skip
def test_every_spelling_of_a_tag_filter(account, daemon, spelling):
    names, own = ("both", "one"), f"wire-{account.id}"
    for name, tags in zip(names, ([own, "other"], [own])):
        image = account.make(name)
        account.ok("PublishCompShareImage", CompShareImageId=image, Price=0.5, **flat({"Tags": tags}))
        daemon.run("review", "approve", image)

    def found(**params) -> list:
        signed = account.signed("DescribeCommunityImages", **params)
        page = wire.post_json(daemon.base_url, signed).json
        assert page["RetCode"] == 0, page
        return [group["ImageName"] for group in page["CompshareImageGroup"]]

    assert found(**spelling([own, "other"])) == ["both"]
    assert sorted(found(**spelling([own]))) == sorted(names)


def test_the_community_order_is_an_object_or_dotted(account, daemon):
    tag = f"order-{account.id}"
    for name, price in (("dear", 2), ("cheap", 0.5), ("free", 0)):
        image = account.make(name)
        account.ok("PublishCompShareImage", CompShareImageId=image, Price=price, Tags=tag)
        daemon.run("review", "approve", image)
    rising = ["free", "cheap", "dear"]
    for ascending, wanted in ((True, rising), (False, rising[::-1])):
        sort = {"Field": "Price", "ASC": ascending}
        for params in ({"SortCondition": sort}, {f"SortCondition.{name}": value for name, value in sort.items()}):
            signed = account.signed("DescribeCommunityImages", Tag=tag, **params)
            page = wire.post_json(daemon.base_url, signed).json
            assert [group["ImageName"] for group in page["CompshareImageGroup"]] == wanted, params
    # An empty object counts as absent.
    signed = account.signed("DescribeCommunityImages", Tag=tag, SortCondition={})
    assert wire.post_json(daemon.base_url, signed).json["TotalCount"] == 3
