"""Where words and tables go."""

from __future__ import annotations

import sys
from typing import Final

from rich.console import Console

COLUMNS_WITHOUT_TERMINAL: Final = 170
"""Wide enough that no table of this package breaks in a log file."""


def console(*, stderr: bool = False) -> Console:
    """As wide as the terminal, if there is one. Progress goes to standard error: standard output holds the figures."""
    width = None if (sys.stderr if stderr else sys.stdout).isatty() else COLUMNS_WITHOUT_TERMINAL
    return Console(stderr=stderr, width=width, highlight=False)
