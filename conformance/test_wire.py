"""Requests that no SDK would send, and every spelling that some SDK does."""

import hashlib
import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote_plus, urlencode, urlsplit

import pytest

import wire
from daemon import REGION, ZONE
from wire import FORM, JSON

LIST = "DescribeCompShareCustomImages"
UPDATE = "UpdateCompShareImage"
MAX_BODY_BYTES = 8 * 1024 * 1024
MAX_PARAMS = 512
MAX_DEPTH = 8
HEAD_SECONDS = 15


def refuse(name) -> tuple:
    return 230, f"Params [{name}] not available"


def tags(account, image) -> list:
    return account.images(CompShareImageId=image)[0]["Tags"]


# Spellings


def flat(params) -> dict:
    """Lists spelled with dots, as every form does."""
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
def test_lists_are_read_however_they_are_spelled(owner, params, wanted):
    owner.ok(UPDATE, CompShareImageId=owner.image, **{"Tags.0": "before"})
    owner.ok(UPDATE, CompShareImageId=owner.image, **params)
    assert tags(owner, owner.image) == wanted


@pytest.mark.parametrize("text, flag", [("True", True), ("FALSE", False), ("1", True), ("0", False), ("true", True)])
def test_booleans_are_read_in_any_case(owner, text, flag):
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


def test_the_body_wins_over_the_query_and_counts_once(owner):
    url = owner.daemon.base_url
    params = owner.signed(LIST, Limit=1)
    assert wire.post_form(url, params, query={"Limit": 101, "Action": "Other"}).ret_code == 0
    assert wire.post_form(url, params, query={"Extra": 1}).ret_code == 171


@pytest.mark.parametrize("target", ["/", "/?", "/api", "/api/v1/", "//", "/?Action=" + LIST, "/api?Action=" + LIST])
def test_any_path_will_do(owner, target):
    reply = wire.send(owner.daemon.base_url, "POST", target, urlencode(owner.signed(LIST)), FORM)
    assert reply.ret_code == 0


# What every response has


def test_every_response_is_json_with_a_request_id_of_its_own(owner):
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


def test_a_connection_stays_open_over_refusals(owner):
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
def test_the_first_failing_check_gives_the_answer(owner, first):
    """Everything that comes at or after `first` in the order is wrong; everything before it is right."""
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


def test_missing_and_wrong_parameters_come_before_the_place_and_the_place_before_the_resource(owner):
    progress = "GetCompShareImageCreateProgress"
    assert owner.call(progress, Region="cn-nowhere").answer == (210, "Missing params [CompShareImageId]")
    assert owner.call(progress, Region="cn-nowhere", CompShareImageId="x").answer == refuse("Region")
    assert owner.call(progress, Region=REGION, CompShareImageId="x").answer == (8039, "Resource not exist [x]")
    assert owner.call(progress, CompShareImageId="").answer == (210, "Missing params [CompShareImageId]")


def test_a_signature_is_compared_as_it_stands(owner):
    url = owner.daemon.base_url
    params = owner.signed(LIST)
    for signature in (params["Signature"].upper(), params["Signature"][:-1], params["Signature"] + "0", " "):
        assert wire.post_form(url, {**params, "Signature": signature}).ret_code == 171, signature
    assert wire.post_form(url, {**params, "Signature": ""}).ret_code == 170
    # What was sent is what must be signed, to the letter.
    params = owner.signed(UPDATE, CompShareImageId=owner.image, AutoStart="true")
    assert wire.post_form(url, {**params, "AutoStart": "True"}).ret_code == 171


def test_a_plus_that_was_not_encoded_is_a_space(daemon):
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


# Requests that cannot be read


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
def test_what_cannot_be_read_is_said_in_a_sentence(owner, content_type, body, message):
    reply = wire.send(owner.daemon.base_url, body=body, content_type=content_type)
    assert (reply.status, reply.ret_code) == (200, 230)
    assert reply.json["Message"].startswith(message)


def test_a_name_twice_in_the_query_is_refused(owner):
    query = urlencode(owner.signed(LIST, Limit=1)) + "&Limit=2"
    assert wire.send(owner.daemon.base_url, "GET", "/?" + query).answer == (230, "Params [Limit] is given twice")


# Limits


def padded(account, size) -> bytes:
    """A signed form of exactly this many bytes."""
    empty = len(urlencode(account.signed(LIST, Padding="")))
    body = urlencode(account.signed(LIST, Padding="x" * (size - empty))).encode()
    assert len(body) == size
    return body


def test_a_body_may_be_this_large_and_no_larger(owner):
    url = owner.daemon.base_url
    assert wire.send(url, body=padded(owner, MAX_BODY_BYTES), content_type=FORM).ret_code == 0
    reply = wire.send(url, body=padded(owner, MAX_BODY_BYTES + 1), content_type=FORM)
    assert reply.status == 413
    assert reply.ret_code == 230 and reply.json["Message"]
    assert reply.headers["X-UCLOUD-REQUEST-UUID"]


def test_a_body_far_too_large_does_no_harm(owner):
    try:
        reply = wire.send(owner.daemon.base_url, body=b"a=" + b"x" * (8 * MAX_BODY_BYTES), content_type=FORM)
        assert reply.status == 413
    except (BrokenPipeError, ConnectionResetError):
        pass  # Closed while it was still being sent.
    assert owner.call(LIST).ret_code == 0


def test_so_many_parameters_and_no_more(owner):
    url = owner.daemon.base_url
    message = f"The request carries more than {MAX_PARAMS} parameters"
    basic = len(owner.signed(LIST))
    for extra, expected in ((MAX_PARAMS - basic, (0, None)), (MAX_PARAMS - basic + 1, (230, message))):
        many = {f"P{number}": number for number in range(extra)}
        assert wire.post_form(url, owner.signed(LIST, **many)).answer == expected
        assert wire.post_json(url, owner.signed(LIST, **many)).answer == expected
        assert wire.get(url, owner.signed(LIST, **many)).answer == expected
    in_a_list = owner.signed(LIST, P=list(range(MAX_PARAMS)))
    assert wire.post_json(url, in_a_list).answer == (230, message)


def test_so_deep_and_no_deeper(owner):
    url = owner.daemon.base_url

    def nest(depth):
        value = 1
        for _ in range(depth):
            value = [value]
        return owner.signed(LIST, P=value)

    assert wire.post_json(url, nest(MAX_DEPTH - 1)).ret_code == 0
    deep = (230, f"Params [P] is nested deeper than {MAX_DEPTH} levels")
    assert wire.post_json(url, nest(MAX_DEPTH)).answer == deep
    name = ".".join("P" * MAX_DEPTH)
    assert owner.call(LIST, **{name: 1}).ret_code == 0
    deeper = (230, f"Params [{name}.P] is nested deeper than {MAX_DEPTH} levels")
    assert owner.call(LIST, **{name + ".P": 1}).answer == deeper
    # Deep enough to break a parser that goes down one call a level.
    body = b'{"P":' + b"[" * 500_000 + b"]" * 500_000 + b"}"
    assert wire.send(url, body=body, content_type=JSON).ret_code == 230
    body = b'{"P":' + b'{"a":' * 500_000
    assert wire.send(url, body=body, content_type=JSON).ret_code == 230
    assert owner.call(LIST).ret_code == 0


@pytest.mark.slow
def test_a_head_that_does_not_come_is_not_waited_for(owner):
    url = urlsplit(owner.daemon.base_url)
    with socket.create_connection((url.hostname, url.port), timeout=3 * HEAD_SECONDS) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
        started = time.monotonic()
        while connection.recv(4096):
            pass
        waited = time.monotonic() - started
    assert HEAD_SECONDS - 2 < waited < HEAD_SECONDS + 5


# The list


@pytest.mark.parametrize("limit", ["101", "1000", "-1", "20.5", "abc", "1e1", "99999999999999999999"])
def test_limits_that_are_refused(owner, limit):
    assert owner.call(LIST, Limit=limit).answer == refuse("Limit")
    assert owner.call("DescribeCompShareInstance", Limit=limit).answer == refuse("Limit")


@pytest.mark.parametrize("limit", ["", "0", "1", "100"])
def test_limits_that_are_taken(owner, limit):
    assert owner.ok(LIST, Limit=limit)["TotalCount"] == 1


@pytest.mark.parametrize("offset", ["-1", "1.5", "abc", str(2**63)])
def test_offsets_that_are_refused(owner, offset):
    assert owner.call(LIST, Offset=offset).answer == refuse("Offset")


@pytest.mark.parametrize("offset", ["1", "1000000", str(2**63 - 1)])
def test_past_the_end_is_an_empty_page_with_the_true_count(owner, offset):
    page = owner.ok(LIST, Offset=offset)
    assert (page["ImageSet"], page["TotalCount"], page["NextToken"]) == ([], 1, "")


def test_region_and_zone_must_exist_and_narrow_the_list(owner):
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


# Making and giving back


def test_the_same_create_four_times_at_once_makes_one_image(account):
    # What the JS SDK does on any error, and a person with a double click.
    instance = account.add_instance()
    with ThreadPoolExecutor(4) as threads:
        call = lambda _: account.call("CreateCompShareCustomImage", UHostId=instance, Name="once")  # noqa: E731
        codes = sorted(reply.ret_code for reply in threads.map(call, range(4)))
    assert codes[0] == 0 and all(code in (230, 8964) for code in codes[1:]), codes
    assert len(account.images()) == 1


def test_the_bytes_come_back(owner):
    disk = owner.disk(owner.instance)
    raw = owner.call("ExportCompShareCustomImage", CompShareImageId=owner.image)
    assert (raw.status, raw.headers["Content-Type"]) == (200, "application/octet-stream")
    assert int(raw.headers["Content-Length"]) == len(raw.body) == disk.stat().st_size
    assert raw.headers["X-UCLOUD-REQUEST-UUID"]
    assert hashlib.sha256(raw.body).digest() == hashlib.sha256(disk.read_bytes()).digest()


def test_what_cannot_be_given_back(account, slow_instance):
    export = "ExportCompShareCustomImage"
    image = account.start_making("unfinished", slow_instance)
    assert account.call(export, CompShareImageId=image).answer == (8017, f"Image [{image}] is not available")
    assert account.call(export).answer == (210, "Missing params [CompShareImageId]")
    assert account.call(export, CompShareImageId="x").answer == (8039, "Resource not exist [x]")
    account.ok("TerminateCompShareCustomImage", CompShareImageId=image)
