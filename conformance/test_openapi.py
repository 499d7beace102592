"""docs/wire/openapi.json is valid, and the server answers every request that it allows as it says."""

import json
from pathlib import Path

import schemathesis
from hypothesis import HealthCheck, settings
from openapi_spec_validator import validate
from schemathesis.config import SchemathesisConfig

import wire

DOCUMENT = Path(__file__).parent.parent / "docs" / "wire" / "openapi.json"
# Requests that the document allows: what it forbids has tests of its own.
CONFIG = SchemathesisConfig.from_dict({"generation": {"mode": "positive"}})
SCHEMA = schemathesis.openapi.from_path(str(DOCUMENT), config=CONFIG)
# The request was not understood as it was meant, or the server failed.
NEVER = {130, 150, 160, 161, 170, 171, 172, 174}


def plain(value):
    """The same with numbers that every JSON library writes as they are signed."""
    if isinstance(value, float):
        value = round(value, 2)
        return int(value) if value.is_integer() else value
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {name: plain(member) for name, member in value.items()}
    return value


def test_the_document_is_valid():
    validate(json.loads(DOCUMENT.read_text()))


@SCHEMA.parametrize()
@settings(max_examples=10, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_every_allowed_request_gets_a_described_reply(case, owner):
    action = case.operation.definition.raw["operationId"]
    body = plain({**case.body, "Action": action, "PublicKey": owner.public_key})
    case.body = wire.signed(body, owner.private_key)
    case.headers = {"Content-Type": wire.JSON}
    response = case.call(base_url=owner.daemon.base_url)
    case.validate_response(response)
    if response.headers["content-type"][0].startswith(wire.JSON):
        assert response.json()["RetCode"] not in NEVER, (case.body, response.json())
