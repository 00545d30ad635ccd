from __future__ import annotations

import asyncio
import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from autospot.embedded import folder as folder_module
from autospot.embedded.errors import EmbeddedError
from autospot.embedded.folder import used_alone


async def test_a_folder_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    async with used_alone(tmp_path / "new" / "data") as folder:
        assert folder.path.stat().st_mode & 0o077 == 0


async def test_a_second_user_is_told_the_process_of_the_first(tmp_path: Path) -> None:
    async with used_alone(tmp_path):
        error = await refused(tmp_path)
    assert error.code == "folder_in_use"
    assert error.message == f"{tmp_path} is in use by process {os.getpid()}"


async def test_a_folder_is_free_again_after_use(tmp_path: Path) -> None:
    for _ in range(2):
        async with used_alone(tmp_path):
            pass


async def test_a_refused_second_user_does_not_free_the_folder(tmp_path: Path) -> None:
    async with used_alone(tmp_path):
        await refused(tmp_path)
        await refused(tmp_path)


async def test_the_lock_of_a_dead_process_means_nothing(tmp_path: Path) -> None:
    (tmp_path / "autospot.lock").write_text(f"{dead_pid()}\n")
    async with used_alone(tmp_path):
        assert (tmp_path / "autospot.lock").read_text() == f"{os.getpid()}\n"


async def test_a_process_id_that_another_program_has_now_means_nothing(tmp_path: Path) -> None:
    (tmp_path / "autospot.lock").write_text(f"{os.getppid()}\n")
    async with used_alone(tmp_path):
        pass


async def test_a_lock_file_with_nonsense_means_nothing(tmp_path: Path) -> None:
    (tmp_path / "autospot.lock").write_bytes(b"\xff\x00 long gone")
    async with used_alone(tmp_path):
        pass


async def test_the_folder_of_a_killed_run_is_waited_for_until_its_last_part_is_gone(tmp_path: Path) -> None:
    with left_over_part(tmp_path) as part:
        taking = asyncio.create_task(take(tmp_path))
        await asyncio.sleep(0)
        assert not taking.done()
        part.kill()
        part.wait()
        assert await asyncio.wait_for(taking, 5)


async def test_a_part_that_stays_is_not_waited_for_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_module, "LOCK_SECONDS", 0.1)
    with left_over_part(tmp_path):
        error = await refused(tmp_path)
    assert error.code == "folder_in_use"
    assert "what is left of process" in error.message


@pytest.mark.parametrize("below", ["file", "/proc"])
async def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_text("in the way")
    error = await refused(tmp_path / below / "data")
    assert error.code == "folder_unusable"
    assert str(tmp_path / below / "data") in error.message


async def test_a_folder_that_cannot_be_written_is_refused() -> None:
    error = await refused(Path("/proc/self"))
    assert error.code == "folder_unusable"


async def test_a_folder_stays_with_the_version_that_wrote_it(tmp_path: Path) -> None:
    async with used_alone(tmp_path) as folder:
        folder.claim_version("6.0")
        folder.claim_version("6.0")
        with pytest.raises(EmbeddedError, match=r"written by another version.*6\.0.*8\.0") as refusal:
            folder.claim_version("8.0")
    assert refusal.value.code == "folder_version"


async def test_a_version_mark_that_cannot_be_read_is_another_version(tmp_path: Path) -> None:
    (tmp_path / "version.json").write_text("{")
    async with used_alone(tmp_path) as folder:
        with pytest.raises(EmbeddedError, match="something unreadable"):
            folder.claim_version("6.0")


async def take(path: Path) -> bool:
    async with used_alone(path):
        return True


async def refused(path: Path) -> EmbeddedError:
    with pytest.raises(EmbeddedError) as refusal:
        await take(path)
    return refusal.value


def dead_pid() -> int:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return ended.pid


@contextmanager
def left_over_part(path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that inherited the lock from a run that is dead by now."""
    lock = os.open(path / "autospot.lock", os.O_RDWR | os.O_CREAT)
    os.write(lock, f"{dead_pid()}\n".encode())
    fcntl.flock(lock, fcntl.LOCK_EX)
    part = subprocess.Popen(["sleep", "60"], pass_fds=[lock])
    os.close(lock)
    try:
        yield part
    finally:
        part.kill()
        part.wait()
