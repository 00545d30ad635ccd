"""What clients may say, and the frames that go out."""

from __future__ import annotations

import pytest

from hub.protocol import (
    CLOSE_NAMES,
    TOO_SLOW,
    BadMessage,
    Hello,
    Subscribe,
    Unknown,
    Wish,
    close_frame,
    parse,
    text_frame,
)


def test_messages_become_values() -> None:
    assert parse('{"type":"hello","subscriptions":[{"lot":"a","rev":3,"epoch":"e"}],"x":1}') == Hello(
        subscriptions=[Wish(lot="a", rev=3, epoch="e")]
    )
    assert parse('{"lot":"a","type":"subscribe","detail":"counts"}') == Subscribe(lot="a", detail="counts")
    assert parse('{"type":"wave"}') == Unknown("wave")


def test_null_means_not_given() -> None:
    assert parse('{"type":"hello","token":null,"client":null,"subscriptions":null}') == Hello()
    assert parse('{"type":"subscribe","lot":"a","id":null,"detail":null,"epoch":null,"rev":null}') == Subscribe("a")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "{}",
        '{"type":1}',
        '{"type":"subscribe"}',
        '{"type":"subscribe","lot":"a","detail":"all"}',
        '{"type":"subscribe","lot":"a","rev":1.5}',
        '{"type":"subscribe","lot":"a","rev":1e99}',
        '{"type":"auth","token":null}',
        "[" * 10_000,
    ],
)
def test_anything_else_is_a_bad_message(text: str) -> None:
    with pytest.raises(BadMessage):
        parse(text)


@pytest.mark.parametrize(
    ("size", "head"), [(125, b"\x81\x7d"), (126, b"\x81\x7e\x00\x7e"), (65_536, b"\x81\x7f\0\0\0\0\0\x01\0\0")]
)
def test_a_frame_says_its_length_in_the_shortest_form(size: int, head: bytes) -> None:
    frame = text_frame(b"x" * size)
    assert frame == head + b"x" * size


def test_a_close_frame_carries_code_and_reason() -> None:
    frame = close_frame(TOO_SLOW)
    assert frame[2:4] == (4200).to_bytes(2, "big")
    assert frame[4:].decode() == TOO_SLOW.message


def test_close_codes_carry_their_verdict() -> None:
    assert {code // 100 for code in CLOSE_NAMES} == {40, 41, 42}
