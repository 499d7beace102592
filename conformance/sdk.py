"""Calls of the Python SDK that are refused."""

import pytest
from ucloud.core.exc import RetCodeException


def refusal(call, *arguments) -> RetCodeException:
    with pytest.raises(RetCodeException) as caught:
        call(*arguments)
    assert caught.value.request_uuid, "the SDK found no request id in the response's head"
    return caught.value


def answer(call, *arguments) -> tuple:
    error = refusal(call, *arguments)
    return error.code, error.message
