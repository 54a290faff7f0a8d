"""Requests and replies survive the pipe."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from sweeplib.track.messages import Answer, Found, Reply, Request, decode_reply, decode_request, encode


@given(st.integers(min_value=0), st.from_type(Request))
def test_a_request_comes_out_as_it_went_in(number: int, request: Request) -> None:
    line = encode(number, request)
    assert line.count(b"\n") == 1
    again = decode_request(line)
    assert repr(again) == repr((number, request))  # NaN is not equal to itself, but looks the same


def test_a_reply_comes_out_as_it_went_in() -> None:
    found = (Found(key="k", run="r", metrics={"acc": math.inf, "größe\n": -0.5}),)
    reply = Reply(answer=Answer.DONE, text="é\n", run="r", metrics={"loss": 1e-300}, found=found)
    assert decode_reply(encode(7, reply)) == (7, reply)
