"""ucloud-sdk-python3 with typed methods and `invoke`."""

import re
import time

import pytest
from ucloud.core.exc import ValidationException

from daemon import MAKE_SECONDS_MAX, REGION, ZONE
from sdk import answer, refusal

ID = re.compile(r"compshareImage-[0-9a-z]{12}")

# docs/wire/image.md, as Python types.
IMAGE_FIELDS = {
    "CompShareImageId": str, "Name": str, "Status": str, "Container": str, "ImageType": str,
    "ImageOwnerAlias": str, "Author": str, "AuthInfo": int, "IsOfficial": bool, "Size": int,
    "Visibility": int, "Description": str, "Tags": list, "Price": (int, float), "Cover": str,
    "Softwares": (dict, type(None)), "SupportedGpuTypes": list, "SoftwarePorts": list,
    "FirewallPorts": list, "AutoStart": bool, "ImageCharge": bool, "ImageUseTime": int,
    "CreatedCount": int, "FavoritesCount": int, "FailedReason": str, "CreateTime": int, "PubTime": int,
    "UpdateTime": int, "Owner": dict, "GroupId": str, "VersionName": str, "VersionDesc": str,
    "SourceGpuType": str, "Zone": str, "ImageSupportZone": list, "QrCodeUrl": str,
}  # fmt: skip


def has_type(value, expected) -> bool:
    # A Python bool is an int; a JSON boolean is no integer.
    wanted = expected if isinstance(expected, tuple) else (expected,)
    return isinstance(value, wanted) and (not isinstance(value, bool) or bool in wanted)


def test_the_life_cycle_of_an_image_with_typed_methods(account):
    api = account.sdk().ucompshare()
    instance = account.add_instance()

    create = {"Zone": ZONE, "UHostId": instance, "Name": "训练环境_v1.2", "Description": "a & b=c +d 😀"}
    create["Softwares"] = {"Framework": "PyTorch", "FrameworkVersion": "2.3.0", "CUDAVersion": "12.4"}
    image = api.create_comp_share_custom_image(create)["CompShareImageId"]
    assert ID.fullmatch(image)

    account.wait(image)
    progress = api.get_comp_share_image_create_progress({"Zone": ZONE, "CompShareImageId": image})
    assert progress["Process"] == 100
    assert int(progress["TotalDuration"]) >= 0 and progress["RemainingDuration"] == "0"

    page = api.describe_comp_share_custom_images({"Zone": ZONE, "Limit": 20, "Offset": 0})
    assert page["TotalCount"] == 1
    [row] = page["ImageSet"]
    assert (row["CompShareImageId"], row["Name"], row["Status"]) == (image, "训练环境_v1.2", "Available")
    assert (row["ImageType"], row["Description"]) == ("Custom", "a & b=c +d 😀")
    assert row["Softwares"]["Framework"] == "PyTorch" and row["Softwares"]["CUDAVersion"] == "12.4"
    assert row["Owner"]["AccountId"] == account.id
    assert "Readme" not in row

    update = {"Zone": ZONE, "CompShareImageId": image, "Tags": ["LLM", "torch"], "Readme": "# 说明\n"}
    assert api.update_comp_share_image({**update, "Description": "new"}) == {}
    by_id = {"Zone": ZONE, "CompShareImageId": image}
    [row] = api.describe_comp_share_custom_images(by_id)["ImageSet"]
    assert (row["Tags"], row["Readme"], row["Description"]) == (["LLM", "torch"], "# 说明\n", "new")
    assert row["Name"] == "训练环境_v1.2"

    assert api.terminate_comp_share_custom_image(by_id) == {}
    assert api.describe_comp_share_custom_images(by_id) == {"TotalCount": 0, "ImageSet": []}
    # A client repeats the call when the answer was lost.
    assert api.terminate_comp_share_custom_image(by_id) == {}
    gone = (8039, f"Resource not exist [{image}]")
    assert answer(api.get_comp_share_image_create_progress, by_id) == gone
    assert answer(api.update_comp_share_image, by_id) == gone


def test_the_life_cycle_of_an_image_with_invoke(account):
    client = account.sdk(region=None)
    instance = account.add_instance()

    made = client.invoke("CreateCompShareCustomImage", {"UHostId": instance, "Name": "first"})
    image = made["CompShareImageId"]
    assert made["Action"] == "CreateCompShareCustomImageResponse" and made["RetCode"] == 0
    account.wait(image)

    by_id = {"CompShareImageId": image}
    progress = client.invoke("GetCompShareImageCreateProgress", dict(by_id))
    assert progress["Status"] == "Available" and progress["Progress"] == progress["Process"] == 100
    size = account.disk(instance).stat().st_size
    assert progress["ProcessedBytes"] == progress["TotalBytes"] == size
    assert isinstance(progress["TotalDuration"], str) and progress["FailedReason"] == ""

    facts = {"Name": "second", "Description": "d", "Readme": "r", "Price": 0.25, "AutoStart": True}
    facts |= {"Tags": ["a", "b", "c"], "SupportedGpuTypes": ["4090", "A100"]}
    facts |= {"VersionName": "v1.0", "VersionDesc": "初版"}
    client.invoke("UpdateCompShareImage", {**by_id, **facts})
    [row] = client.invoke("DescribeCompShareCustomImages", dict(by_id))["ImageSet"]
    assert {name: row[name] for name in facts} == facts

    before = row
    client.invoke("UpdateCompShareImage", dict(by_id))
    [row] = client.invoke("DescribeCompShareCustomImages", dict(by_id))["ImageSet"]
    assert {name: row[name] for name in facts} == facts, "an update of nothing changed something"
    assert row.keys() == before.keys()

    client.invoke("UpdateCompShareImage", {**by_id, "Description": "", "Readme": "", "Tags": ""})
    [row] = client.invoke("DescribeCompShareCustomImages", dict(by_id))["ImageSet"]
    assert (row["Description"], row["Readme"], row["Tags"]) == ("", "", [])

    client.invoke("TerminateCompShareCustomImage", dict(by_id))
    page = client.invoke("DescribeCompShareCustomImages")
    assert (page["TotalCount"], page["ImageSet"], page["NextToken"]) == (0, [], "")


def test_the_sdk_itself_refuses_the_documented_sample(owner):
    # Nothing listens on this port: a request that was sent would fail with another error.
    nowhere = owner.sdk(base_url="http://127.0.0.1:9")
    with pytest.raises(ValidationException, match="the field Zone is required"):
        nowhere.ucompshare().describe_comp_share_custom_images({"Limit": 20})
    with pytest.raises(ValidationException, match="the field Region is required"):
        owner.sdk(region=None).ucompshare().describe_comp_share_custom_images({"Zone": ZONE})

    client = owner.sdk()
    typed = client.ucompshare().describe_comp_share_custom_images({"Zone": ZONE, "Limit": 20})
    untyped = client.invoke("DescribeCompShareCustomImages", {"Limit": 20})
    for images in (typed["ImageSet"], untyped["ImageSet"]):
        assert [(img["CompShareImageId"], img["Name"], img["Status"]) for img in images] == [
            (owner.image, "my-custom-env", "Available")
        ]


def test_every_field_has_a_type_that_all_sdks_decode(owner):
    [row] = owner.sdk().invoke("DescribeCompShareCustomImages")["ImageSet"]
    assert row.keys() == IMAGE_FIELDS.keys()
    wrong = {name: row[name] for name, kind in IMAGE_FIELDS.items() if not has_type(row[name], kind)}
    assert not wrong
    assert row["Container"] == "False" and row["ImageType"] == "Custom" and row["PubTime"] == 0
    assert row["Size"] == 41, "40 MiB and three sectors, in MB, rounded up"
    assert row["Owner"].keys() == {"AccountName", "AccountId"} and row["Owner"]["AccountId"] == owner.id
    assert row["Owner"]["AccountName"] == row["Author"] != ""
    assert row["Zone"] == ZONE
    assert [place["Zone"] for place in row["ImageSupportZone"]] == [ZONE]
    assert all(has_type(place["ZoneId"], int) for place in row["ImageSupportZone"])

    [shown] = owner.sdk().invoke("DescribeCompShareCustomImages", {"CompShareImageId": owner.image})["ImageSet"]
    assert shown.keys() == IMAGE_FIELDS.keys() | {"Readme"} and isinstance(shown["Readme"], str)

    api = owner.sdk().ucompshare()
    [typed] = api.describe_comp_share_custom_images({"Zone": ZONE})["ImageSet"]
    # The schema turns a null into an object with an empty list.
    assert row["Softwares"] is None and typed.pop("Softwares") == {"Applications": []}
    assert typed == {name: row[name] for name in typed} and len(typed) == 28


def test_refusals_carry_code_message_and_request_id(owner):
    client = owner.sdk()
    listing = "DescribeCompShareCustomImages"
    assert answer(client.invoke, listing, {"Limit": 101}) == (230, "Params [Limit] not available")
    assert answer(client.invoke, listing, {"Offset": -1}) == (230, "Params [Offset] not available")
    typed = client.ucompshare().describe_comp_share_custom_images
    assert answer(typed, {"Zone": ZONE, "Limit": 101}) == (230, "Params [Limit] not available")
    assert answer(typed, {"Zone": ZONE, "Limit": -1}) == (230, "Params [Limit] not available")
    assert answer(typed, {"Zone": "cn-nowhere-01"}) == (230, "Params [Zone] not available")
    assert answer(typed, {"Region": "cn-nowhere", "Zone": ZONE}) == (230, "Params [Region] not available")
    assert typed({"Zone": ""})["TotalCount"] == 1

    wrong_private = owner.sdk(private_key=owner.private_key + "x")
    assert answer(wrong_private.invoke, listing) == (171, "Signature VerifyAC Error")
    wrong_public = owner.sdk(public_key=owner.public_key + "x")
    assert answer(wrong_public.invoke, listing) == (172, "User Not Exists")
    assert answer(client.invoke, listing, {"SecurityToken": "t"}) == (174, "Token Not Exists")
    assert answer(client.invoke, "DescribeNothing") == (161, "Action [DescribeNothing] not found")

    create = "CreateCompShareCustomImage"
    assert answer(client.invoke, create, {"Name": "n"}) == (210, "Missing params [UHostId]")
    assert answer(client.invoke, create, {"UHostId": owner.instance}) == (210, "Missing params [Name]")
    unknown = {"UHostId": "uhost-nowhere", "Name": "n"}
    assert answer(client.invoke, create, unknown) == (8039, "Resource not exist [uhost-nowhere]")
    typed = client.ucompshare().create_comp_share_custom_image
    assert answer(typed, {**unknown, "Zone": ZONE}) == (8039, "Resource not exist [uhost-nowhere]")
    for name in ("my-custom-env", "a b", "a/b", "x" * 51):
        taken = {"UHostId": owner.instance, "Name": name}
        assert answer(client.invoke, create, taken) == (230, "Params [Name] not available"), name
    assert len(owner.images()) == 1, "a refused call made something"

    by_id = {"CompShareImageId": owner.image}
    update = "UpdateCompShareImage"
    assert answer(client.invoke, update, {"Name": "n"}) == (210, "Missing params [CompShareImageId]")
    four = {**by_id, "Tags": ["a", "b", "c", "d"]}
    assert answer(client.invoke, update, four) == (230, "Params [Tags] not available")
    assert answer(client.invoke, update, {**by_id, "Price": -1}) == (230, "Params [Price] not available")
    assert answer(client.invoke, update, {**by_id, "Cover": "aGk="}) == (230, "Params [Cover] not available")
    many = {"UHostIds": [f"uhost-{n}" for n in range(101)]}
    instances = "DescribeCompShareInstance"
    assert answer(client.invoke, instances, many) == (230, "Params [UHostIds] not available")
    assert answer(client.invoke, update, {**by_id, "Visibility": 2}) == (230, "Params [Visibility] not available")


def test_names_are_unique(account):
    client = account.sdk()
    account.make("one")
    two = account.make("two")
    rename = {"CompShareImageId": two, "Name": "one"}
    assert answer(client.invoke, "UpdateCompShareImage", rename) == (230, "Params [Name] not available")
    client.invoke("UpdateCompShareImage", {"CompShareImageId": two, "Name": "two", "Description": "kept its name"})
    client.invoke("UpdateCompShareImage", {"CompShareImageId": two, "Name": "three"})
    assert {image["Name"] for image in account.images()} == {"one", "three"}
    account.make("two")


def test_an_image_in_the_making(account, slow_instance):
    client = account.sdk()
    create = "CreateCompShareCustomImage"
    idle = account.add_instance()
    image = client.invoke(create, {"UHostId": slow_instance, "Name": "one"})["CompShareImageId"]
    busy = (8964, f"UHost [{slow_instance}] is making image")
    assert answer(client.invoke, create, {"UHostId": slow_instance, "Name": "two"}) == busy
    [row] = client.invoke("DescribeCompShareCustomImages")["ImageSet"]
    assert (row["CompShareImageId"], row["Status"]) == (image, "Making")
    [instance] = client.invoke("DescribeCompShareInstance", {"UHostIds": [slow_instance]})["UHostSet"]
    assert instance["State"] == "ImageMaking"
    taken = {"UHostId": idle, "Name": "one"}
    assert answer(client.invoke, create, taken) == (230, "Params [Name] not available")
    progress = client.invoke("GetCompShareImageCreateProgress", {"CompShareImageId": image})
    assert progress["Status"] == "Making" and 0 <= progress["Process"] < 100
    assert progress["TotalBytes"] == 256 * 1024 * 1024

    account.wait(image)
    [instance] = client.invoke("DescribeCompShareInstance", {"UHostIds": [slow_instance]})["UHostSet"]
    assert instance["State"] == "Stopped"
    account.make("two", slow_instance)


def test_a_missing_disk_is_refused_before_any_change(account):
    instance = account.add_instance()
    account.disk(instance).unlink()
    error = refusal(account.sdk().invoke, "CreateCompShareCustomImage", {"UHostId": instance, "Name": "n"})
    assert error.code == 8905 and error.message.startswith(f"UHost [{instance}] cannot be read. ")
    assert account.images() == []


def test_a_failed_image_has_a_reason_and_frees_its_name(account, slow_instance):
    client = account.sdk()
    image = account.start_making("name", slow_instance)
    with account.disk(slow_instance).open("r+b") as disk:
        disk.truncate(4096)
    deadline = time.monotonic() + MAKE_SECONDS_MAX
    progress = {"Status": "Making"}
    while progress["Status"] == "Making":
        assert time.monotonic() < deadline, progress
        progress = client.invoke("GetCompShareImageCreateProgress", {"CompShareImageId": image})
    assert progress["Status"] == "Failed" and progress["FailedReason"] and progress["Process"] < 100
    [row] = client.invoke("DescribeCompShareCustomImages")["ImageSet"]
    assert (row["Status"], row["FailedReason"]) == ("UnAvailable", progress["FailedReason"])
    export = {"CompShareImageId": image}
    assert answer(client.invoke, "ExportCompShareCustomImage", export) == (8017, f"Image [{image}] is not available")
    second = account.make("name")
    statuses = {row["CompShareImageId"]: row["Status"] for row in account.images()}
    assert statuses == {image: "UnAvailable", second: "Available"}


def test_deleting_an_image_frees_its_name_and_its_instance(account, slow_instance):
    first = account.start_making("name", slow_instance)
    account.ok("TerminateCompShareCustomImage", CompShareImageId=first)
    assert account.images() == []
    second = account.make("name", slow_instance)
    assert [image["CompShareImageId"] for image in account.images()] == [second] != [first]


def test_an_account_cannot_see_another_one(owner, account):
    stranger = account.sdk()
    listing = "DescribeCompShareCustomImages"
    assert stranger.invoke(listing)["TotalCount"] == 0
    page = stranger.invoke(listing, {"CompShareImageId": owner.image})
    assert (page["TotalCount"], page["ImageSet"]) == (0, [])
    instances = stranger.invoke("DescribeCompShareInstance", {"UHostIds": [owner.instance]})
    assert (instances["TotalCount"], instances["UHostSet"]) == (0, [])

    never = "compshareImage-1aaaaaaaaaaa"
    for action in (
        "GetCompShareImageCreateProgress",
        "UpdateCompShareImage",
        "TerminateCompShareCustomImage",
        "ExportCompShareCustomImage",
    ):
        for image in (owner.image, never):
            expected = (8039, f"Resource not exist [{image}]")
            assert answer(stranger.invoke, action, {"CompShareImageId": image}) == expected, action
    create = {"UHostId": owner.instance, "Name": "mine"}
    assert answer(stranger.invoke, "CreateCompShareCustomImage", create) == (
        8039, f"Resource not exist [{owner.instance}]",
    )  # fmt: skip

    # The other account's name is not taken here.
    mine = account.make("my-custom-env")
    assert [row["CompShareImageId"] for row in account.images()] == [mine]
    assert [row["CompShareImageId"] for row in owner.images()] == [owner.image]
    assert owner.images()[0]["Status"] == "Available"


def test_the_first_account_has_the_keys_of_the_environment(daemon):
    instance = daemon.first.add_instance()
    image = daemon.first.make("first", instance)
    [row] = daemon.first.sdk().invoke("DescribeCompShareCustomImages")["ImageSet"]
    assert row["CompShareImageId"] == image and row["Owner"]["AccountId"] == "1"


def test_instances(owner):
    api = owner.sdk().ucompshare()
    page = api.describe_comp_share_instance({"UHostIds": [owner.instance], "Limit": 1, "Offset": 0})
    assert page["TotalCount"] == 1
    [typed] = page["UHostSet"]
    assert (typed["UHostId"], typed["Zone"], typed["State"]) == (owner.instance, ZONE, "Stopped")
    assert typed["InstanceType"] == "UHost" and has_type(typed["CreateTime"], int)
    [disk] = typed["DiskSet"]
    assert (disk["IsBoot"], disk["Size"]) == ("True", 1)

    [untyped] = owner.sdk(region=None).invoke("DescribeCompShareInstance", {"UHostIds": [owner.instance]})["UHostSet"]
    assert (untyped["Region"], untyped["Zone"]) == (REGION, ZONE)
    assert untyped["IPSet"] == []
    nothing = api.describe_comp_share_instance({"UHostIds": ["uhost-nowhere"]})
    assert nothing == {"TotalCount": 0, "UHostSet": []}
    beyond = api.describe_comp_share_instance({"Offset": 1000})
    assert beyond["UHostSet"] == [] and beyond["TotalCount"] >= 1


def test_zones_ports_regions_and_projects(owner):
    client = owner.sdk()
    zones = client.ucompshare().describe_comp_share_support_zone()["ZoneInfo"]
    [ours] = [zone for zone in zones if zone["Zone"] == ZONE]
    assert ours["Region"] == REGION and has_type(ours["ZoneId"], int) and has_type(ours["RegionId"], int)

    ports = client.ucompshare().describe_comp_share_software_port()["SoftwarePort"]
    assert {"Software": "SSH", "Port": 22} in ports and {"Software": "JupyterLab", "Port": 8888} in ports

    regions = client.uaccount().get_region()["Regions"]
    assert {(region["Region"], region["Zone"]) for region in regions} == {
        (zone["Region"], zone["Zone"]) for zone in zones
    }
    assert [region["IsDefault"] for region in regions].count(True) == 1
    assert all(has_type(region["BitMaps"], str) for region in regions)

    projects = client.uaccount().get_project_list()
    [project] = projects["ProjectSet"]
    assert projects["ProjectCount"] == 1 and project["IsDefault"] is True
    assert project["ProjectId"].startswith("org-") and project["ProjectName"]
    required = {"CreateTime", "IsDefault", "MemberCount", "ProjectId", "ProjectName", "ResourceCount"}
    assert required <= project.keys()

    # An SDK that is configured with a project sends it with every call.
    inside = owner.sdk(project_id=project["ProjectId"])
    assert inside.invoke("DescribeCompShareCustomImages")["TotalCount"] == 1
    outside = owner.sdk(project_id="org-nowhere")
    expected = (292, "Project [org-nowhere] not exists")
    assert answer(outside.invoke, "DescribeCompShareCustomImages") == expected
