"""Requests that no SDK sends, and every spelling that an SDK sends."""

import json
from urllib.parse import quote_plus, urlencode

import pytest

import wire
from daemon import REGION
from wire import FORM, JSON

LIST = "DescribeCompShareCustomImages"
UPDATE = "UpdateCompShareImage"


def refuse(name) -> tuple:
    return 230, f"Params [{name}] not available"


def tags(account, image) -> list:
    return account.images(CompShareImageId=image)[0]["Tags"]


# Spellings


def flat(params) -> dict:
    """Spells lists with dots, as forms do."""
    out = {}
    for name, value in params.items():
        if isinstance(value, list):
            out.update({f"{name}.{index}": item for index, item in enumerate(value)})
        else:
            out[name] = value
    return out


@pytest.mark.parametrize(
    "spelling",
    ["query", "form", "form, action in query", "form, action in both", "json dotted", "json nested",
     "json, action in both", "form without type", "json without type", "charset"],
)  # fmt: skip
def test_every_spelling_of_a_request_means_the_same(owner, spelling):
    url = owner.daemon.base_url
    wanted = [spelling, "a & b=c +d/😀", "\"'<>\\"]
    nested = {"Action": UPDATE, "PublicKey": owner.public_key, "CompShareImageId": owner.image, "Tags": wanted}
    params = nested if spelling in ("json nested", "json without type") else flat(nested)
    params = wire.signed(params, owner.private_key)
    rest = {name: value for name, value in params.items() if name != "Action"}
    action = {"Action": UPDATE}
    reply = {
        "query": lambda: wire.get(url, params),
        "form": lambda: wire.post_form(url, params),
        "form, action in query": lambda: wire.post_form(url, rest, query=action),
        "form, action in both": lambda: wire.post_form(url, params, query=action),
        "json dotted": lambda: wire.post_json(url, params),
        "json nested": lambda: wire.post_json(url, params),
        "json, action in both": lambda: wire.post_json(url, params, query=action),
        "form without type": lambda: wire.send(url, body=urlencode(params)),
        "json without type": lambda: wire.send(url, body=b" \n" + json.dumps(params).encode()),
        "charset": lambda: wire.send(url, body=urlencode(params), content_type=FORM + "; charset=utf-8"),
    }[spelling]()
    assert reply.status == 200 and reply.json["Action"] == UPDATE + "Response" and reply.ret_code == 0, reply
    assert tags(owner, owner.image) == wanted


@pytest.mark.parametrize(
    "params, wanted",
    [
        ({"Tags.1": "a", "Tags.2": "b"}, ["a", "b"]),
        ({"Tags.3": "a", "Tags.10": "c", "Tags.7": "b"}, ["a", "b", "c"]),
        ({"Tags": "a"}, ["a"]),
        ({"Tags": "['深度学习', 'b']"}, ["深度学习", "b"]),
        ({"Tags": '["a","b"]'}, ["a", "b"]),
        ({"Tags": ""}, []),
    ],
)
def test_every_spelling_of_a_list(owner, params, wanted):
    owner.ok(UPDATE, CompShareImageId=owner.image, **{"Tags.0": "before"})
    owner.ok(UPDATE, CompShareImageId=owner.image, **params)
    assert tags(owner, owner.image) == wanted


@pytest.mark.parametrize("text, flag", [("True", True), ("FALSE", False), ("1", True), ("0", False), ("true", True)])
def test_booleans_in_any_case(owner, text, flag):
    owner.ok(UPDATE, CompShareImageId=owner.image, AutoStart="0" if flag else "1")
    owner.ok(UPDATE, CompShareImageId=owner.image, AutoStart=text)
    assert owner.images()[0]["AutoStart"] is flag


# `signed` is the text under the signature, `sent` the bytes that travel.
@pytest.mark.parametrize(
    "sent, signed",
    [
        (b"35.0", "35"),
        (b"1e1", "10"),
        (b"5E-1", "0.5"),
        (b"1e+3", "1000"),
        (b"0.50", "0.5"),
        (b"12", "12"),
        (b'"12.0"', "12.0"),
    ],
)
def test_json_numbers_sign_as_plain_decimals(owner, sent, signed):
    params = {"Action": UPDATE, "PublicKey": owner.public_key, "CompShareImageId": owner.image, "Price": signed}
    params = wire.signed(params, owner.private_key)
    body = json.dumps(params).encode().replace(b'"Price": "%s"' % signed.encode(), b'"Price":' + sent)
    reply = wire.send(owner.daemon.base_url, body=body, content_type=JSON)
    assert reply.ret_code == 0, reply
    assert owner.images()[0]["Price"] == float(signed)


def test_json_escapes_are_decoded_before_signing(owner):
    params = owner.signed(UPDATE, CompShareImageId=owner.image, Description="a&b<中>")
    body = json.dumps(params, ensure_ascii=True).replace("&", "\\u0026").replace("<", "\\u003c").encode()
    assert b"\\u0026" in body and b"\\u4e2d" in body
    assert wire.send(owner.daemon.base_url, body=body, content_type=JSON).ret_code == 0
    assert owner.images()[0]["Description"] == "a&b<中>"


def test_php_booleans_are_signed_as_php_prints_them(owner):
    for flag, printed in ((True, "1"), (False, "")):
        params = owner.signed(UPDATE, CompShareImageId=owner.image, AutoStart=printed)
        reply = wire.post_json(owner.daemon.base_url, {**params, "AutoStart": flag})
        assert reply.ret_code == 0, reply
        assert owner.images()[0]["AutoStart"] is flag
    params = owner.signed(UPDATE, CompShareImageId=owner.image, AutoStart="yes")
    assert wire.post_json(owner.daemon.base_url, {**params, "AutoStart": True}).ret_code == 171


def test_null_and_empty_containers_sign_as_their_name(owner):
    params = {"Action": LIST, "PublicKey": owner.public_key, "Nothing": None, "List": [], "Map": {}, "Limit": None}
    reply = wire.post_json(owner.daemon.base_url, wire.signed(params, owner.private_key))
    assert reply.ret_code == 0, reply


def test_unknown_parameters_are_signed_and_otherwise_ignored(owner):
    assert owner.ok(LIST, az_group="1", zone_id=10027, limit="101", Timestamp="x")["TotalCount"] == 1
    params = owner.signed(LIST)
    assert wire.post_form(owner.daemon.base_url, {**params, "Unsigned": "x"}).ret_code == 171


def test_the_body_takes_precedence_over_the_query(owner):
    url = owner.daemon.base_url
    params = owner.signed(LIST, Limit=1)
    assert wire.post_form(url, params, query={"Limit": 101, "Action": "Other"}).ret_code == 0
    assert wire.post_form(url, params, query={"Extra": 1}).ret_code == 171


@pytest.mark.parametrize("target", ["/", "/?", "/api", "/api/v1/", "//", "/?Action=" + LIST, "/api?Action=" + LIST])
def test_any_path_is_accepted(owner, target):
    reply = wire.send(owner.daemon.base_url, "POST", target, urlencode(owner.signed(LIST)), FORM)
    assert reply.ret_code == 0


# Every response


def test_every_response_is_json_with_a_unique_request_id(owner):
    url = owner.daemon.base_url
    replies = [owner.call(LIST), owner.call(LIST), owner.call("Nothing"), wire.post_form(url, {})]
    replies += [wire.send(url, body=b"{", content_type=JSON), wire.get(url, owner.signed(LIST))]
    for reply in replies:
        assert reply.status == 200
        assert "json" in reply.headers["Content-Type"]
        assert type(reply.json["RetCode"]) is int
        assert reply.json["request_uuid"] == reply.headers["X-UCLOUD-REQUEST-UUID"]
        assert (reply.ret_code == 0) == (reply.json.get("Message", "") == "")
    ids = [reply.headers["X-UCLOUD-REQUEST-UUID"] for reply in replies]
    assert all(ids) and len(set(ids)) == len(ids)


def test_a_connection_stays_open_after_refusals(owner):
    url = owner.daemon.base_url
    connection = wire.connect(url)
    for _ in range(3):
        assert wire.post_form(url, owner.signed(LIST), connection=connection).ret_code == 0
        opened = connection.sock
        assert wire.post_form(url, {}, connection=connection).ret_code == 160
        assert wire.send(url, body=b"{", content_type=JSON, connection=connection).ret_code == 230
        assert connection.sock is opened is not None
    connection.close()


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "PATCH"])
def test_other_methods_are_not_allowed(owner, method):
    target = "/?" + urlencode(owner.signed(LIST))
    reply = wire.send(owner.daemon.base_url, method, target)
    assert reply.status == 405
    assert {name.strip() for name in reply.headers["Allow"].split(",")} >= {"GET", "POST"}
    assert reply.headers["X-UCLOUD-REQUEST-UUID"]


# The order of checks

CHECKS = [160, 170, 172, 174, 171, 161, 292, 230]


@pytest.mark.parametrize("first", range(len(CHECKS)), ids=[str(code) for code in CHECKS])
def test_the_first_failed_check_decides_the_answer(owner, first):
    """Every check from `first` on fails; every check before it passes."""
    wrong = set(CHECKS[first:])
    params = {"Limit": "101"}
    if 292 in wrong:
        params["ProjectId"] = "org-nowhere"
    if 160 not in wrong:
        params["Action"] = "Nothing" if 161 in wrong else LIST
    if 174 in wrong:
        params["SecurityToken"] = "nobody"
    params["PublicKey"] = "nobody" if 172 in wrong else owner.public_key
    if 170 not in wrong:
        params["Signature"] = "0" * 40 if 171 in wrong else wire.signature(params, owner.private_key)
    reply = wire.post_form(owner.daemon.base_url, params)
    assert reply.status == 200
    assert reply.ret_code == CHECKS[first], reply
    texts = {
        160: "Missing Action", 170: "Missing Signature", 172: "User Not Exists", 174: "Token Not Exists",
        171: "Signature VerifyAC Error", 161: "Action [Nothing] not found",
        292: "Project [org-nowhere] not exists", 230: "Params [Limit] not available",
    }  # fmt: skip
    assert reply.json["Message"] == texts[CHECKS[first]]


def test_parameters_are_checked_before_zones_and_zones_before_resources(owner):
    progress = "GetCompShareImageCreateProgress"
    assert owner.call(progress, Region="cn-nowhere").answer == (210, "Missing params [CompShareImageId]")
    assert owner.call(progress, Region="cn-nowhere", CompShareImageId="x").answer == refuse("Region")
    assert owner.call(progress, Region=REGION, CompShareImageId="x").answer == (8039, "Resource not exist [x]")
    assert owner.call(progress, CompShareImageId="").answer == (210, "Missing params [CompShareImageId]")


def test_a_signature_is_compared_exactly(owner):
    url = owner.daemon.base_url
    params = owner.signed(LIST)
    for signature in (params["Signature"].upper(), params["Signature"][:-1], params["Signature"] + "0", " "):
        assert wire.post_form(url, {**params, "Signature": signature}).ret_code == 171, signature
    assert wire.post_form(url, {**params, "Signature": ""}).ret_code == 170
    # The signed text must be exactly the text that was sent.
    params = owner.signed(UPDATE, CompShareImageId=owner.image, AutoStart="true")
    assert wire.post_form(url, {**params, "AutoStart": "True"}).ret_code == 171


def test_an_unencoded_plus_is_a_space(daemon):
    account = daemon.first
    params = account.signed(LIST)
    query = urlencode(params)
    assert quote_plus(account.public_key) in query
    assert wire.send(daemon.base_url, "GET", "/?" + query).ret_code == 0
    raw = query.replace(quote_plus(account.public_key), account.public_key)
    assert wire.send(daemon.base_url, "GET", "/?" + raw).answer == (172, "User Not Exists")


@pytest.mark.parametrize("name", [LIST.lower(), LIST.upper(), LIST + " ", "", " "])
def test_action_names_are_exact(owner, name):
    assert owner.call(name).answer == ((161, f"Action [{name}] not found") if name else (160, "Missing Action"))


# Unreadable requests


@pytest.mark.parametrize(
    "content_type, body, message",
    [
        (JSON, b"{", "The request body is not valid JSON: "),
        (JSON, b"Action=X", "The request body is not valid JSON: "),
        (JSON, b'{"Action":"X"} {}', "The request body is not valid JSON: "),
        (None, b"{not json", "The request body is not valid JSON: "),
        (JSON, b"[1]", "The request body must be a JSON object"),
        (JSON, b'"Action"', "The request body must be a JSON object"),
        (JSON, b'{"Action":"\xff"}', "The request body is not valid UTF-8"),
        (FORM, b"Action=\xff", "The request body is not valid UTF-8"),
        (JSON, b'{"Action":"X","Action":"X"}', "Params [Action] is given twice"),
        (JSON, b'{"Action":"X","A":{"b":1,"b":2}}', "Params [A.b] is given twice"),
        (FORM, b"Action=X&Limit=1&Limit=1", "Params [Limit] is given twice"),
        (JSON, b'{"Action":"X","P":1e999}', "Params [P] is not a finite number"),
        (JSON, b'{"Action":"X","P":["\\u0000"]}', "Params [P] holds a zero byte"),
        (FORM, b"Action=X&P=a%00b", "Params [P] holds a zero byte"),
    ],
)
def test_unreadable_requests_are_explained(owner, content_type, body, message):
    reply = wire.send(owner.daemon.base_url, body=body, content_type=content_type)
    assert (reply.status, reply.ret_code) == (200, 230)
    assert reply.json["Message"].startswith(message)


def test_a_name_twice_in_the_query_is_refused(owner):
    query = urlencode(owner.signed(LIST, Limit=1)) + "&Limit=2"
    assert wire.send(owner.daemon.base_url, "GET", "/?" + query).answer == (230, "Params [Limit] is given twice")
