"""The whole image section with real clients: every command of the unmodified `compshare image`, and every image method of
the Python SDK, typed and by `invoke`."""

import re

import pytest
from ucloud.core.exc import RetCodeException
from ucloud.services.ucompshare.client import UCompShareClient

from daemon import MIB, REGION, ZONE
from test_python_sdk_covers import png
from test_unmodified_cli import COMPSHARE, IMAGE_WORDS, Run, cli  # noqa: F401  a fixture

HERE = ("--region", REGION, "--zone", ZONE)
IN_REGION = ("--region", REGION)
SORTS = ("Favor", "PubTime", "Price", "CreatedCount", "ImageUseTime", "FavoritesCount")

PLATFORM_TYPES = ("System", "App", "Game", "Other")

# The typed methods that were called so far.
CALLED: set[str] = set()


def typed_call(account, method, **params):
    CALLED.add(method)
    return getattr(account.sdk().ucompshare(), method)({"Zone": ZONE, **params})


def call(account, method, **params):
    """Calls a typed method and the same action by `invoke`, and returns both answers."""
    action = "".join(word.capitalize() for word in method.split("_"))
    return typed_call(account, method, **params), account.sdk().invoke(action, {"Region": REGION, **params})


def ids(rows):
    return [row["CompShareImageId"] for row in rows]


def test_cli_shares_and_unshares_an_image(cli, daemon, tmp_path):  # noqa: F811
    image = cli.account.make("shared", cli.account.add_instance(MIB))
    other = daemon.create_account()
    receiver = Run(other, tmp_path / "other")
    receiver.home.mkdir()
    cli.json("image", "share", image, other.id, *IN_REGION)
    shares = cli.json("image", "shares", image, *IN_REGION)["data"]
    assert other.id in str(shares)
    seen = receiver.json("image", "list", "--source", "shared")["data"]["items"]
    assert ids(seen) == [image]
    assert receiver.json("image", "show", image, "--source", "shared")["data"]["image"]["Name"] == "shared"
    refused = receiver.json("image", "share", image, "1", *IN_REGION, code=1)["error"]["details"]
    assert refused["ret_code"] == 8350
    cli.json("image", "unshare", image, other.id, "-y", *IN_REGION)
    assert receiver.json("image", "list", "--source", "shared")["data"]["items"] == []


def test_cli_publishes_favorites_and_unpublishes(cli, daemon, tmp_path):  # noqa: F811
    account = cli.account
    image = account.make("to-publish", account.add_instance(MIB))
    cover, readme = tmp_path / "cover.png", tmp_path / "readme.md"
    cover.write_bytes(png(8, 8, "published"))
    readme.write_text("# 说明\n")
    name, tag = f"社区镜像-{account.id}", f"标签{account.id}"
    publish = ("--version", "v1.0", "--name", name, "--version-description", "first", "--price", "0.25")
    more = ("--tag", tag, "--description", "for all", "--gpu", "4090", "--cover", str(cover), "--readme", str(readme))
    cli.json("image", "publish", image, *publish, *more, *HERE, "-y")
    row = cli.json("image", "list", "--source", "published")["data"]["items"][0]
    assert (row["CompShareImageId"], row["VersionName"]) == (image, "v1.0")
    assert cli.json("image", "delete", image, "-y", *IN_REGION, code=1)["error"]["details"]["ret_code"] == 230
    daemon.run("review", "approve", image)

    reader = Run(daemon.create_account(), tmp_path / "reader")
    reader.home.mkdir()
    community = ("image", "list", "--source", "community")
    found = lambda *words: ids(reader.json(*community, *words)["data"]["items"])  # noqa: E731
    group = account.images()[0]["GroupId"]
    filters = [
        ("--name", name[1:]), ("--query", f"社区 {account.id}"), ("--tag", tag), ("--group", group),
        ("--id", image), ("--all", "--tag", tag), ("--paid", "--tag", tag), ("--unofficial", "--tag", tag),
        ("--no-autostart", "--tag", tag), ("--limit", "5", "--offset", "0", "--tag", tag),
    ]  # fmt: skip
    for words in filters:
        assert found(*words) == [image], words
    assert found("--author", "nobody") == [] and found("--tag", tag, "--offset", "1") == []
    for sort in SORTS:
        assert image in found("--sort", sort) and image in found("--sort", sort, "--ascending"), sort
    user = ("image", "list", "--source", "user", "--user", account.id)
    assert ids(reader.json(*user)["data"]["items"]) == [image]
    shown = reader.json("image", "show", image, "--source", "community")["data"]["image"]
    assert (shown["Readme"], shown["Price"], shown["Cover"].startswith(daemon.base_url)) == ("# 说明\n", 0.25, True)
    assert tag in str(reader.json("image", "tags")["data"])

    favorites = lambda: reader.account.ok("DescribeFavoriteImages")["TotalCount"]  # noqa: E731
    reader.json("image", "favorite", group)
    assert favorites() == 1
    reader.json("image", "unfavorite", group)
    assert favorites() == 0
    assert reader.json("image", "favorite", "nothing", code=1)["error"]["details"]["ret_code"] == 8039

    again = account.make("second", account.add_instance(MIB))
    taken = ("image", "publish", again, "--version", "v1.0", "--group", group, *HERE, "-y")
    assert cli.json(*taken, code=1)["error"]["details"]["ret_code"] == 8968
    cli.json("image", "update", image, "--visibility", "0", *IN_REGION)
    assert found("--tag", tag) == []
    cli.json("image", "delete", image, "-y", *IN_REGION)


def test_cli_updates_every_field(cli, tmp_path):  # noqa: F811
    create = ("image", "create", "--instance", cli.account.add_instance(MIB), "--name", "plain", "-y", "--wait")
    cli.json(*create)
    image = ids(cli.account.images())[0]
    assert cli.json("image", "progress", image, *IN_REGION)["data"]["Process"] == 100
    cover, readme = tmp_path / "cover.png", tmp_path / "readme.md"
    cover.write_bytes(png(8, 8, "updated"))
    readme.write_text("new words")
    words = ("--name", "renamed", "--description", "d", "--price", "0.5", "--version", "v2", "--gpu", "A100", "--tag", "a")
    more = ("--version-description", "vd", "--cover", str(cover), "--readme", str(readme), "--no-autostart")
    cli.json("image", "update", image, *words, *more, *HERE)
    row = cli.json("image", "show", image, "--source", "custom")["data"]["image"]
    updated = [row[field] for field in ("Name", "Description", "Price", "VersionName", "VersionDesc", "Readme", "AutoStart")]
    assert updated == ["renamed", "d", 0.5, "v2", "vd", "new words", False]
    assert (row["SupportedGpuTypes"], row["Tags"]) == (["A100"], ["a"])


def test_cli_lists_platform_images(cli, daemon):  # noqa: F811
    image = cli.account.make("base", cli.account.add_instance(MIB))
    names = {kind: f"{kind}-{cli.account.id}" for kind in PLATFORM_TYPES}
    for kind, name in names.items():
        daemon.run("image", "promote", image, "--type", kind, "--name", name)
    everything = cli.json("image", "list", "--all", *HERE)["data"]["items"]
    assert set(names.values()) <= {row["Name"] for row in everything}
    for kind, name in names.items():
        rows = cli.json("image", "list", "--all", "--type", kind)["data"]["items"]
        assert {row["ImageType"] for row in rows} == {kind} and name in [row["Name"] for row in rows]
        assert [row["Name"] for row in cli.json("image", "list", "--name", name)["data"]["items"]] == [name]
        mine = next(row for row in rows if row["Name"] == name)
        shown = cli.json("image", "show", mine["CompShareImageId"])["data"]["image"]
        assert (shown["Name"], shown["ImageType"], shown["ImageOwnerAlias"]) == (name, kind, "Official")


def test_cli_sorts_by_counters(cli, daemon, tmp_path):  # noqa: F811
    account, tag = cli.account, f"sort-{cli.account.id}"
    images = [account.make(name, account.add_instance(MIB)) for name in ("cheap", "liked", "used")]
    prices = dict(zip(images, ("0", "0.5", "1")))
    for image, price in prices.items():
        cli.json("image", "publish", image, "--version", "v1.0", "--price", price, "--tag", tag, *HERE, "-y")
        daemon.run("review", "approve", image)
    groups = {row["CompShareImageId"]: row["GroupId"] for row in account.images()}
    reader = Run(daemon.create_account(), tmp_path / "reader")
    reader.home.mkdir()
    cheap, liked, used = images
    reader.json("image", "favorite", groups[liked])
    reader.account.add_instance(MIB, image=used)
    found = lambda *words: ids(reader.json("image", "list", "--source", "community", "--tag", tag, *words)["data"]["items"])  # noqa: E731
    assert found("--sort", "FavoritesCount")[0] == liked
    # Favorites and use raise the rank.
    assert found("--sort", "Favor")[-1] == cheap
    assert found("--sort", "CreatedCount")[0] == used
    assert found("--sort", "Price", "--ascending") == images and found("--sort", "Price") == images[::-1]
    assert sorted(found("--sort", "FavoritesCount", "--ascending")[:2]) == sorted([cheap, used])
    # The first one is free. None is a platform image or starts its software automatically.
    assert found("--free") == [cheap] and sorted(found("--paid")) == sorted([liked, used])
    assert found("--official") == [] == found("--autostart")
    cli.json("image", "update", cheap, "--autostart", *HERE)
    assert found("--autostart") == [cheap]
    own = ("image", "list", "--source", "published")
    assert len(cli.json(*own)["data"]["items"]) == 3
    assert ids(cli.json(*own, "--id", liked)["data"]["items"]) == ids(cli.json(*own, "--group", groups[liked])["data"]["items"]) == [liked]
    assert ids(cli.json(*own, "--name", "used")["data"]["items"]) == [used]


def test_sdk_copies_and_shares(account, daemon):
    image = account.make("origin", account.add_instance(MIB))
    typed, invoked = call(account, "copy_comp_share_custom_image", CompShareImageId=image)
    copies = {typed["NewCompShareImageId"], invoked["NewCompShareImageId"]}
    names = [row["Name"] for row in account.images() if row["CompShareImageId"] in copies]
    assert sorted(names) == ["origin-copy", "origin-copy-2"]

    other = daemon.create_account()
    share = {"CompShareImageId": image, "AddAccounts": [int(other.id)]}
    typed, invoked = call(account, "modify_comp_share_image_share_account", **share)
    assert typed["InvalidAccounts"] == invoked["InvalidAccounts"] == []
    wrong = {"CompShareImageId": image, "AddAccounts": [999999]}
    typed, invoked = call(account, "modify_comp_share_image_share_account", **wrong)
    assert typed["InvalidAccounts"] == invoked["InvalidAccounts"] == [999999]
    typed, invoked = call(account, "describe_comp_share_image_share_accounts", CompShareImageId=image)
    assert [row["AccountId"] for row in typed["AccountSet"]] == [other.id]
    assert invoked["AccountSet"] == typed["AccountSet"]
    typed, invoked = call(other, "describe_comp_share_sharing_images", Limit=20)
    assert ids(typed["ImageSet"]) == ids(invoked["ImageSet"]) == [image]
    assert typed["ImageSet"][0]["Owner"]["AccountId"] == account.id


def test_sdk_publishes_and_lists_the_community(account, daemon):
    images = [account.make(name, account.add_instance(MIB)) for name in ("one", "two")]
    tag = f"sdk-{account.id}"
    # The typed method drops the version name. The untyped call names a new group.
    first = {"CompShareImageId": images[0], "Price": 0, "Tags": [tag], "VersionName": "lost"}
    typed_call(account, "publish_comp_share_image", **first)
    publish = {"Region": REGION, "CompShareImageId": images[1], "VersionName": "v7", "Tags": [tag]}
    group = account.sdk().invoke("PublishCompShareImage", publish)["GroupId"]
    for image in images:
        daemon.run("review", "approve", image)
    assert {row["VersionName"] for row in account.images()} == {"v1.0", "v7"}

    sort = {"Field": "PubTime", "ASC": False}
    typed, invoked = call(account, "describe_community_images", Limit="20", Tag=[tag], SortCondition=sort)
    assert typed["TotalCount"] == invoked["TotalCount"] == 2
    assert sorted(ids(typed["ImageSet"])) == sorted(images)
    assert {row["GroupId"] for row in invoked["CompshareImageGroup"]} >= {group}
    typed, invoked = call(account, "describe_self_community_images", GroupId=group)
    assert [row["GroupId"] for row in typed["ImageSetGroup"]] == [group] == [row["GroupId"] for row in invoked["ImageSetGroup"]]
    user = {"Region": REGION, "TargetTopOrganizationId": int(account.id)}
    assert account.sdk().invoke("DescribeUserCommunityImages", user)["TotalCount"] == 2
    # The typed method has no parameter for the owner.
    with pytest.raises(RetCodeException) as caught:
        call(account, "describe_user_community_images", TargetTopOrganizationId=int(account.id))
    assert (caught.value.code, caught.value.message) == (210, "Missing params [TargetTopOrganizationId]")
    typed, invoked = call(account, "describe_comp_share_image_tags")
    assert tag in typed["Tags"] and typed["Tags"] == invoked["Tags"] and "AIGC热门" in invoked["TagIndex"]


def test_sdk_lists_platform_and_own_images(account, daemon):
    instance = account.add_instance(MIB)
    image = typed_call(account, "create_comp_share_custom_image", UHostId=instance, Name="own")["CompShareImageId"]
    account.wait(image)
    typed, invoked = call(account, "get_comp_share_image_create_progress", CompShareImageId=image)
    assert typed["Process"] == invoked["Process"] == 100
    call(account, "update_comp_share_image", CompShareImageId=image, Description="updated twice")
    typed, invoked = call(account, "describe_comp_share_custom_images", CompShareImageId=image)
    assert typed["ImageSet"][0]["Description"] == invoked["ImageSet"][0]["Description"] == "updated twice"
    daemon.run("image", "promote", image, "--type", "System", "--name", f"system-{account.id}")
    typed, invoked = call(account, "describe_comp_share_images", ImageType="System", Name=f"system-{account.id}")
    assert typed["TotalCount"] == invoked["TotalCount"] == 1
    # A client repeats the call when the answer was lost.
    typed, invoked = call(account, "terminate_comp_share_custom_image", CompShareImageId=image)
    assert typed == {} and invoked["RetCode"] == 0
    with pytest.raises(RetCodeException) as caught:
        typed_call(account, "terminate_comp_share_custom_image", CompShareImageId="compshareImage-1nowherenone")
    assert caught.value.code == 8039
    assert account.images() == []


@pytest.fixture
def whole_file(request):
    """Skips tests that need every other test of this file to have run."""
    here = [item for item in request.session.items if item.path == request.path]
    written = request.path.read_text().count("\ndef test_")
    if len({item.originalname for item in here}) != written:
        pytest.skip("only a part of this file is run")


def test_every_command_and_list_option_was_run(cli, whole_file):  # noqa: F811
    page = cli(COMPSHARE, "image", "--help", settings={"NO_COLOR": "1"}).stdout
    commands = re.findall(r"^│ ([a-z]+) ", page.split("Commands", 1)[1], re.M)
    assert len(commands) == 13
    assert [command for command in commands if command not in IMAGE_WORDS] == []
    page = cli(COMPSHARE, "image", "list", "--help", settings={"NO_COLOR": "1"}).stdout
    options = set(re.findall(r"--[a-z][a-z-]+", page)) - {"--help"}
    assert len(options) > 15
    assert sorted(option for option in options if f"list {option}" not in IMAGE_WORDS) == []


def test_every_method_was_called(whole_file):
    methods = {name for name in dir(UCompShareClient) if "comp_share" in name and "image" in name or "community_images" in name}
    assert len(methods) == 15
    assert sorted(methods - CALLED) == []
