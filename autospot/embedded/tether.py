"""Run a program that dies with the process that started it.

Usage: ``python -I -S tether.py PARENT_PID PROGRAM [ARGUMENT ...]``

The kernel is asked (``prctl(PR_SET_PDEATHSIG)``, Linux) to send SIGKILL to this process when its parent dies, then this
process becomes PROGRAM: the request survives ``execve``, so the program keeps its pid and knows nothing of it.

Why a program of its own and not ``preexec_fn``: that runs Python between ``fork`` and ``exec`` in a copy of a process
whose other threads (the driver's, the MQTT client's) may hold locks that nobody will ever release there. Here all of it
happens in a fresh single-threaded interpreter after ``exec``.

Why SIGKILL and not SIGTERM: a program that hangs or is stopped does not answer SIGTERM, and nobody is left to insist.
What mongod and the broker acknowledged is in their journals by then.

Three things the kernel says about it (prctl(2)): the signal comes when the *thread* that started the child ends, so
start from a thread that stays; a program that changes its user id loses the request; a set-uid program too.
On other systems the program runs untied.
"""

import ctypes
import os
import signal
import sys
from typing import NoReturn

PR_SET_PDEATHSIG = 1


def become(parent_pid: int, command: list[str]) -> NoReturn:
    """Turn this process into `command`, tied to its parent; exits with 1 and the reason when it cannot."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0) != 0:
            sys.exit(f"cannot tie {command[0]} to its parent: {os.strerror(ctypes.get_errno())}")
    if os.getppid() != parent_pid:
        sys.exit("the parent died before the request was armed: no signal would ever come")
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and an ignored signal would be inherited
    os.execv(command[0], command)  # noqa: S606 no shell is the point


if __name__ == "__main__":
    become(int(sys.argv[1]), sys.argv[2:])
