"""The limits of a request, at the limit and one beyond it."""

import socket
import time
from urllib.parse import urlencode, urlsplit

import pytest

import wire
from wire import FORM, JSON

LIST = "DescribeCompShareCustomImages"
MAX_BODY_BYTES = 8 * 1024 * 1024
MAX_PARAMS = 512
MAX_DEPTH = 8
HEAD_SECONDS = 15



def padded(account, size) -> bytes:
    """Returns a signed form of exactly this many bytes."""
    empty = len(urlencode(account.signed(LIST, Padding="")))
    body = urlencode(account.signed(LIST, Padding="x" * (size - empty))).encode()
    assert len(body) == size
    return body


def test_the_largest_body(owner):
    url = owner.daemon.base_url
    assert wire.send(url, body=padded(owner, MAX_BODY_BYTES), content_type=FORM).ret_code == 0
    reply = wire.send(url, body=padded(owner, MAX_BODY_BYTES + 1), content_type=FORM)
    assert reply.status == 413
    assert reply.ret_code == 230 and reply.json["Message"]
    assert reply.headers["X-UCLOUD-REQUEST-UUID"]


def test_a_body_far_beyond_the_limit_does_no_harm(owner):
    try:
        reply = wire.send(owner.daemon.base_url, body=b"a=" + b"x" * (8 * MAX_BODY_BYTES), content_type=FORM)
        assert reply.status == 413
    except (BrokenPipeError, ConnectionResetError):
        pass  # The server closed the connection during the request.
    assert owner.call(LIST).ret_code == 0


def test_the_most_parameters(owner):
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


def test_the_deepest_nesting(owner):
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
    # Deep enough to overflow the stack of a recursive parser.
    body = b'{"P":' + b"[" * 500_000 + b"]" * 500_000 + b"}"
    assert wire.send(url, body=body, content_type=JSON).ret_code == 230
    body = b'{"P":' + b'{"a":' * 500_000
    assert wire.send(url, body=body, content_type=JSON).ret_code == 230
    assert owner.call(LIST).ret_code == 0


@pytest.mark.slow
def test_an_incomplete_head_times_out(owner):
    url = urlsplit(owner.daemon.base_url)
    with socket.create_connection((url.hostname, url.port), timeout=3 * HEAD_SECONDS) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
        started = time.monotonic()
        while connection.recv(4096):
            pass
        waited = time.monotonic() - started
    assert HEAD_SECONDS - 2 < waited < HEAD_SECONDS + 5
