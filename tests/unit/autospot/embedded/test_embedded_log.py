from __future__ import annotations

import json
from pathlib import Path

import pytest

from autospot.embedded.log import TAIL_LINES, PartLog


@pytest.fixture
def log(tmp_path: Path) -> PartLog:
    return PartLog(tmp_path / "mongod.log", limit_bytes=1_000)


def test_a_log_over_its_limit_starts_anew_while_its_writer_goes_on(log: PartLog) -> None:
    with log.opened() as output:
        output.write(b"early\n" * 300)
        output.flush()
        log.trim()
        output.write(b"late\n")
        output.flush()
    assert log.path.read_text() == "late\n"
    assert log.earlier.read_text() == "early\n" * 300


def test_a_log_under_its_limit_is_left_alone(log: PartLog) -> None:
    with log.opened() as output:
        output.write(b"line\n")
    log.trim()
    assert log.path.read_text() == "line\n"
    assert not log.earlier.exists()


def test_what_is_copied_aside_is_bounded_too(log: PartLog) -> None:
    with log.opened() as output:
        output.write(b"x" * 100_000)
    log.trim()
    assert log.earlier.stat().st_size == 2_000


def test_a_new_run_keeps_the_log_of_the_one_before(log: PartLog) -> None:
    with log.opened() as output:
        output.write(b"first run\n")
    with log.opened() as output:
        output.write(b"second run\n")
    assert (log.earlier.read_text(), log.path.read_text()) == ("first run\n", "second run\n")


def test_the_tail_is_the_last_lines_whatever_bytes_are_in_them(log: PartLog) -> None:
    with log.opened() as output:
        output.write(b"".join(b"line %d \xff\n" % number for number in range(5_000)))
    tail = log.tail()
    assert len(tail) == TAIL_LINES
    assert tail[-1] == "line 4999 �"


def test_structured_lines_become_readable(log: PartLog) -> None:
    written(log, structured("W", "no bind", {"port": 27017}), structured("I", "done"))
    assert log.tail() == ('W NETWORK no bind {"port": 27017}', "I NETWORK done")


def test_the_tail_has_the_errors_that_came_before_the_last_lines(log: PartLog) -> None:
    noise = [structured("I", f"shutting down {number}") for number in range(50)]
    written(log, structured("I", "started"), structured("E", "address in use"), *noise)
    tail = log.tail()
    assert tail[0] == "E NETWORK address in use"
    assert tail[1:] == tuple(f"I NETWORK shutting down {number}" for number in range(42, 50))


@pytest.mark.parametrize("line", ["Error: Address already in use", "{", "[1]", '{"msg": "half"}', "17", '"text"'])
def test_other_lines_stay_as_they_are(log: PartLog, line: str) -> None:
    written(log, line)
    assert log.tail() == (line,)


def structured(severity: str, message: str, details: dict[str, int] | None = None) -> str:
    entry = {"t": {"$date": "2026-11-22T12:28:01Z"}, "s": severity, "c": "NETWORK", "id": 1, "msg": message}
    return json.dumps(entry | ({"attr": details} if details else {}))


def written(log: PartLog, *lines: str) -> None:
    with log.opened() as output:
        output.write("".join(f"{line}\n" for line in lines).encode())
