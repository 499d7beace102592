"""The installed, unmodified compshare-cli through `jingku run`, without options that name this server.

Add a command as one line of `COMMANDS`, or as a call of `cli.json` if other commands use its result.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from daemon import MIB, REGION, ZONE, Account, clean_environment

COMPSHARE = Path(sys.executable).with_name("compshare")
HERE = ("--region", REGION, "--zone", ZONE)

# The arguments after `compshare --json`, and the condition for its `data`. {image} and {instance} belong to the account.
COMMANDS = [
    (("image", "list", "--source", "custom"), lambda data: len(data["items"]) == 1),
    (("image", "list", "--source", "custom", "--all", *HERE), lambda data: data["items"][0]["Name"] == "mine"),
    (("image", "list", "--source", "custom", "--id", "{image}"), lambda data: len(data["items"]) == 1),
    (("image", "show", "{image}", "--source", "custom"), lambda data: data["image"]["Status"] == "Available"),
    (("image", "progress", "{image}", "--region", REGION), lambda data: data["Process"] == 100),
    (("image", "progress", "{image}", *HERE), lambda data: data["Progress"] == 100),
    (("image", "update", "{image}", "--name", "other", "--tag", "a", "--region", REGION), None),
    (("image", "create", "--instance", "{instance}", "--name", "new", "-y"), lambda data: data["operation"]["CompShareImageId"]),
    (("image", "create", "--instance", "{instance}", "--name", "new", "-y", "--wait"), lambda data: data["final"]["Progress"] == 100),
    (("image", "delete", "{image}", "-y", "--region", REGION), None),
    (("doctor",), lambda data: {check["Status"] for check in data["checks"] if check["Check"] == "API"} == {"Success"}),
]


# The words and options of `compshare image` that have succeeded so far. test_image_section.py checks that none is missing.
IMAGE_WORDS: set[str] = set()


@dataclass
class Run:
    """`jingku run` for one account, with its own home."""

    account: Account
    home: Path

    def __call__(self, *command, code=0, settings=None) -> subprocess.CompletedProcess:
        account, daemon = self.account, self.account.daemon
        keys = {"JINGKU_PUBLIC_KEY": account.public_key, "JINGKU_PRIVATE_KEY": account.private_key}
        # Telemetry has a separate test.
        quiet = {"COMPSHARE_INSIGHTS_URL": "", "COMPSHARE_LANG": "en", "COLUMNS": "200"}
        done = subprocess.run(
            [daemon.binary, "run", "--data-dir", daemon.data, "--", *command],
            env=clean_environment(self.home, **{**keys, **quiet, **(settings or {})}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == code, f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def json(self, *arguments, code=0) -> dict:
        """A command of the CLI and the document it prints."""
        document = json.loads(self(COMPSHARE, "--json", *arguments, code=code).stdout)
        assert document["ok"] is (code == 0), document
        if code == 0 and arguments[0] == "image":
            words = [word for word in arguments[1:] if word.startswith("--")]
            IMAGE_WORDS.update([arguments[1], *(f"{arguments[1]} {word}" for word in words)])
        return document

    def items(self) -> list:
        return self.json("image", "list", "--source", "custom")["data"]["items"]


@pytest.fixture
def cli(account, tmp_path) -> Run:
    return Run(account, tmp_path)


@pytest.mark.parametrize("arguments,satisfied", COMMANDS, ids=[" ".join(line[0]) for line in COMMANDS])
def test_command(cli, arguments, satisfied):
    account = cli.account
    instance = account.add_instance(MIB)
    names = {"{image}": account.make("mine", instance), "{instance}": instance}
    document = cli.json(*(names.get(word, word) for word in arguments))
    assert satisfied is None or satisfied(document["data"]), document


def test_the_life_cycle_of_an_image(cli):
    instance = cli.account.add_instance(8 * MIB)
    create = ("image", "create", "--instance", instance, "--name", "cli-env", "--description", "从命令行")
    made = cli.json(*create, "-y", "--wait", "--timeout", "60")["data"]
    image = made["operation"]["CompShareImageId"]
    assert made["final"]["Status"] == "Available"
    assert cli.json("image", "progress", image, "--region", REGION)["data"]["Process"] == 100
    cli.json("image", "update", image, "--name", "renamed", "--tag", "LLM", "--region", REGION)
    row = cli.json("image", "show", image, "--source", "custom")["data"]["image"]
    assert (row["Name"], row["Description"], row["Tags"]) == ("renamed", "从命令行", ["LLM"])
    cli.json("image", "delete", image, "-y", "--region", REGION)
    assert cli.items() == []


def test_refusals_reach_the_user(cli):
    refused = cli.json("image", "list", "--source", "custom", "--region", "cn-nowhere", code=1)["error"]
    assert refused["message"] == "Params [Region] not available" and refused["details"]["ret_code"] == 230
    assert refused["details"]["request_uuid"]


def test_the_cli_configuration_does_not_take_precedence(cli):
    config = cli.home / ".config" / "compshare" / "config.json"
    config.parent.mkdir(parents=True)
    keys = {"public_key": "of-the-cloud", "private_key": "of-the-cloud"}
    text = json.dumps({"current_profile": "work", "profiles": {"work": keys}})
    config.write_text(text)
    assert cli.items() == []
    assert config.read_text() == text


def test_telemetry_goes_to_this_server(cli):
    # The CLI's module waits for the answer when it is called like its detached process.
    script = (
        "import sys; from compshare_cli import insights; from compshare_cli.config import ConfigStore;"
        "payload = {'Command': 'image.list', 'CLIVersion': '0.5.6', 'OS': 'linux', 'OccurredAt': insights.now()};"
        "print(insights._invoke(ConfigStore().load_profile(None), insights.EVENT_ACTION, payload)['RetCode'])"
    )
    url = {"COMPSHARE_INSIGHTS_URL": "https://api.compshare.cn"}
    assert cli(sys.executable, "-c", script, settings=url).stdout.strip() == "0"

    # The detached process outlives the command. A module of the same name, found first, reports that it was reached.
    done = cli.home / "telemetry"
    (cli.home / "sitecustomize.py").write_text(
        "import atexit, os, sys\n"
        "if 'event' in sys.argv or '-m' in sys.orig_argv:\n"
        "    import compshare_cli.insights as insights, requests\n"
        "    send = requests.Session.send\n"
        "    def reported(self, request, **more):\n"
        "        reply = send(self, request, **more)\n"
        f"        open({str(done)!r}, 'w').write(f'{{request.url}} {{reply.json()[\"RetCode\"]}}')\n"
        "        return reply\n"
        "    requests.Session.send = reported\n"
    )
    more = {**url, "PYTHONPATH": str(cli.home)}
    cli(COMPSHARE, "image", "list", "--source", "custom", settings=more)
    assert done.read_text() == "https://api.compshare.cn/ 0"


def test_the_python_sdk_with_its_own_base_url(cli):
    cli.account.make("seen")
    script = (
        "import os; from ucloud.client import Client;"
        "keys = {'public_key': os.environ['UCLOUD_PUBLIC_KEY'], 'private_key': os.environ['UCLOUD_PRIVATE_KEY']};"
        f"client = Client({{**keys, 'region': '{REGION}'}});"
        f"reply = client.ucompshare().describe_comp_share_custom_images({{'Zone': '{ZONE}'}});"
        "print([image['Name'] for image in reply['ImageSet']])"
    )
    assert cli(sys.executable, "-c", script).stdout.splitlines()[-1] == "['seen']"


def test_other_hosts_are_not_reached(cli):
    script = "import requests; requests.get('https://example.com/', timeout=20)"
    done = cli(sys.executable, "-c", script, code=1)
    assert "jingku: refused to connect to example.com:443" in done.stderr and "403" in done.stderr
    plain = "import requests; print(requests.get('http://api.compshare.cn/', timeout=20).status_code)"
    assert cli(sys.executable, "-c", plain).stdout == "403\n"


def test_a_server_behind_https(cli):
    # The outer run is the server with a certificate. The inner run trusts it and also uses a proxy.
    account, binary = cli.account, cli.account.daemon.binary
    image = account.make("far-away")
    inner = [binary, "run", "--base-url", "https://api.compshare.cn", "--data-dir", cli.home / "inner"]
    document = cli(*inner, "--", COMPSHARE, "--json", "image", "list", "--source", "custom").stdout
    assert [item["CompShareImageId"] for item in json.loads(document)["data"]["items"]] == [image]
