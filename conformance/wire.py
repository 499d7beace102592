"""Requests written by hand: signed as docs/wire/signing.md says, in every spelling of docs/wire."""

import hashlib
import http.client
import json
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"


def text(value) -> str:
    """Returns the text of a value that is signed."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "".join(key + text(value[key]) for key in sorted(value, key=str.encode))
    if isinstance(value, list):
        return "".join(map(text, value))
    return str(value)


def signature(params: dict, private_key: str) -> str:
    unsigned = {name: value for name, value in params.items() if name != "Signature"}
    return hashlib.sha1((text(unsigned) + private_key).encode()).hexdigest()


def signed(params: dict, private_key: str) -> dict:
    return {**params, "Signature": signature(params, private_key)}


@dataclass
class Reply:
    """A complete response."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> dict:
        content_type = self.headers["Content-Type"] or ""
        assert content_type.startswith(JSON), content_type
        return json.loads(self.body.decode("utf-8"))

    @property
    def ret_code(self) -> int:
        return self.json["RetCode"]

    @property
    def answer(self) -> tuple:
        """The code and the message of a refusal."""
        return self.json["RetCode"], self.json.get("Message")


def connect(base_url: str) -> http.client.HTTPConnection:
    url = urlsplit(base_url)
    return http.client.HTTPConnection(url.hostname, url.port, timeout=60)


def send(base_url, method="POST", target="/", body=None, content_type=None, connection=None) -> Reply:
    """Sends exactly this request. A given connection stays open."""
    own = connection or connect(base_url)
    headers = {"Content-Type": content_type} if content_type else {}
    own.request(method, target, body=body, headers=headers)
    response = own.getresponse()
    reply = Reply(response.status, response.headers, response.read())
    if connection is None:
        own.close()
    return reply


def post_form(base_url, params: dict, query: dict = None, **options) -> Reply:
    target = "/?" + urlencode(query) if query else "/"
    return send(base_url, "POST", target, urlencode(params), FORM, **options)


def post_json(base_url, params: dict, query: dict = None, **options) -> Reply:
    target = "/?" + urlencode(query) if query else "/"
    return send(base_url, "POST", target, json.dumps(params).encode(), JSON, **options)


def get(base_url, params: dict, **options) -> Reply:
    return send(base_url, "GET", "/?" + urlencode(params), **options)
