"""The installed compshare-cli through `jingku run`: every command for an account's own images, in detail."""

import pytest
from compshare_cli import insights
from compshare_cli.config import Profile

from daemon import MIB, REGION, ZONE, Account
from test_unmodified_cli import COMPSHARE, Run


class Cli(Run):
    """The CLI with the keys of one account and its own home."""

    def run(self, *arguments, code=0):
        return self(COMPSHARE, *arguments, code=code)

    def items(self, *arguments) -> list:
        return self.json("image", "list", "--source", "custom", *arguments)["data"]["items"]

    def show(self, image) -> dict:
        return self.json("image", "show", image, "--source", "custom")["data"]["image"]


@pytest.fixture
def cli(account, tmp_path) -> Cli:
    return Cli(account, tmp_path)


@pytest.fixture
def reader(owner, tmp_path) -> Cli:
    """The CLI of an account with one image, for tests that do not change it."""
    return Cli(owner, tmp_path)


def test_list_prints_every_image(reader):
    document = reader.json("image", "list", "--source", "custom")
    [item] = document["data"]["items"]
    assert (item["CompShareImageId"], item["Name"]) == (reader.account.image, "my-custom-env")
    assert (item["ImageType"], item["Status"], item["Price"]) == ("Custom", "Available", 0)
    meta = document["meta"]
    assert (meta["action"], meta["ret_code"]) == ("DescribeCompShareCustomImagesResponse", 0)
    assert (meta["total"], meta["returned"]) == (1, 1) and meta["request_uuid"]

    table = reader.run("image", "list", "--source", "custom").stdout
    assert reader.account.image in table and "my-custom-env" in table and "Available" in table


def test_list_filters_by_id_region_and_zone(reader):
    here = ("--region", REGION, "--zone", ZONE)
    assert len(reader.items("--id", reader.account.image, *here)) == 1
    assert reader.items("--id", "compshareImage-1aaaaaaaaaaa") == []
    refused = reader.json("image", "list", "--source", "custom", "--region", "cn-nowhere", code=1)
    assert refused["error"]["code"] == "api_error"
    assert refused["error"]["message"] == "Params [Region] not available"
    assert refused["error"]["details"]["ret_code"] == 230
    assert refused["error"]["details"]["request_uuid"]


def test_list_pages(cli):
    account = cli.account
    images = [account.start_making(f"image-{n:03}") for n in range(7)]
    account.wait(*images)
    everything = [item["CompShareImageId"] for item in cli.items("--all")]
    assert sorted(everything) == sorted(images)
    page = cli.json("image", "list", "--source", "custom", "--limit", "3", "--offset", "5")
    assert [item["CompShareImageId"] for item in page["data"]["items"]] == everything[5:]
    assert (page["meta"]["total"], page["meta"]["returned"], page["meta"]["offset"]) == (7, 2, 5)
    assert cli.items("--offset", "50") == []


def test_show(reader):
    image = reader.account.image
    row = reader.show(image)
    assert row["CompShareImageId"] == image and row["Description"] == "torch 2.3" and "Readme" in row
    missing = reader.json("image", "show", "compshareImage-1aaaaaaaaaaa", "--source", "custom", code=2)
    assert "compshareImage-1aaaaaaaaaaa" in missing["error"]["message"]


def test_create_waits_for_the_image(cli):
    instance = cli.account.add_instance(8 * MIB)
    create = ("image", "create", "--instance", instance, "--name", "cli-env", "--description", "从命令行")
    data = cli.json(*create, "-y", "--wait", "--timeout", "60")["data"]
    image = data["operation"]["CompShareImageId"]
    assert data["final"]["Status"] == "Available" and data["final"]["Progress"] == 100
    assert (cli.show(image)["Status"], cli.show(image)["Description"]) == ("Available", "从命令行")

    progress = cli.json("image", "progress", image, "--region", REGION)["data"]
    assert progress["Process"] == 100 and progress["RemainingDuration"] == "0"
    assert cli.json("image", "progress", image, "--region", REGION, "--zone", ZONE)["data"]["Progress"] == 100

    again = cli.json(*create, "-y", code=1)
    assert again["error"]["details"]["ret_code"] == 230
    assert again["error"]["message"] == "Params [Name] not available"


def test_create_reports_a_missing_instance(cli):
    # The CLI looks up the instance first, so this refusal is its own.
    missing = cli.json("image", "create", "--instance", "uhost-nowhere", "--name", "x", "-y", code=2)
    assert "uhost-nowhere" in missing["error"]["message"]
    assert cli.items() == []


def test_update_accepts_every_option(cli, tmp_path):
    image = cli.account.make("before")
    readme = tmp_path / "readme.md"
    readme.write_text("# 说明\n\na & b\n", encoding="utf-8")
    options = ["--name", "after", "--description", "d", "--visibility", "0", "--price", "0.5"]
    options += ["--readme", str(readme), "--tag", "LLM", "--tag", "a,b", "--version", "v1.0"]
    options += ["--version-description", "初版", "--gpu", "4090", "--gpu", "A100", "--autostart"]
    assert cli.json("image", "update", image, *options, "--region", REGION, "--zone", ZONE)["meta"]["ret_code"] == 0
    row = cli.show(image)
    facts = ("Name", "Description", "Visibility", "Price", "Readme", "VersionName", "VersionDesc")
    assert [row[fact] for fact in facts] == ["after", "d", 0, 0.5, "# 说明\n\na & b\n", "v1.0", "初版"]
    assert (row["Tags"], row["SupportedGpuTypes"]) == (["LLM", "a", "b"], ["4090", "A100"])
    assert row["AutoStart"] is True

    cli.run("image", "update", image, "--no-autostart", "--region", REGION)
    row = cli.show(image)
    assert row["AutoStart"] is False and row["Name"] == "after" and len(row["Tags"]) == 3

    four = cli.json("image", "update", image, "--tag", "a,b,c,d", "--region", REGION, code=1)
    assert (four["error"]["details"]["ret_code"], four["error"]["message"]) == (230, "Params [Tags] not available")
    # Without a region the CLI refuses by itself.
    cli.run("image", "update", image, "--tag", "a", code=2)


def test_delete(cli):
    image = cli.account.make("short-lived")
    cli.run("image", "delete", image, "-y", "--region", REGION)
    assert cli.items("--all") == []
    # A client repeats the call when the answer was lost.
    cli.run("image", "delete", image, "-y", "--region", REGION)
    never = "compshareImage-1nowherenone"
    gone = cli.json("image", "delete", never, "-y", "--region", REGION, code=1)
    assert gone["error"]["details"]["ret_code"] == 8039
    assert gone["error"]["message"] == f"Resource not exist [{never}]"


def test_doctor_passes(reader):
    checks = {check["Check"]: check for check in reader.json("doctor")["data"]["checks"]}
    assert checks["API"]["Status"] == "Success", checks["API"]
    assert checks["Credentials"]["Status"] == "Success"
    zones = len(reader.account.ok("DescribeCompShareSupportZone")["ZoneInfo"])
    assert f"{zones} availability zones" in checks["API"]["Detail"]


def test_a_wrong_key_is_reported(reader):
    stranger = Account(reader.account.daemon, "0", reader.account.public_key, "wrong")
    refused = Cli(stranger, reader.home).json("image", "list", "--source", "custom", code=1)
    assert refused["error"]["details"]["ret_code"] == 171
    assert refused["error"]["message"] == "Signature VerifyAC Error"


def test_telemetry_is_accepted(reader, monkeypatch):
    # The CLI does this in a background process, whose result is not visible.
    account = reader.account
    monkeypatch.setenv("COMPSHARE_INSIGHTS_URL", account.daemon.base_url)
    payload = {"Command": "image.list", "CLIVersion": "0.5.6", "OS": "linux", "OccurredAt": insights.now()}
    reply = insights._invoke(Profile(account.public_key, account.private_key), insights.EVENT_ACTION, payload)
    assert (reply["Action"], reply["RetCode"]) == ("CreateCSCLIEventResponse", 0)
