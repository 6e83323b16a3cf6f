"""What each exit code means. The one table: ``warranty --help`` prints it, the commands return from it."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    FINE = 0
    FOUND = 1
    BAD_INPUT = 2
    TRACKER = 3
    REFUSED = 4
    PARTLY = 5
    BUSY = 6
    DEFECT = 70
    INTERRUPTED = 130


MEANING: dict[Exit, str] = {
    Exit.FINE: "done; nothing to complain of",
    Exit.FOUND: "it ran and found something: cases that differ, a pack's failed case, a doctor's finding, a contradiction in a pack, a demo gone wrong",
    Exit.BAD_INPUT: "usage, or a mistake in a file or variable given to it; nothing was read or written",
    Exit.TRACKER: "no tracker could be read: refused, unreachable or answering nonsense; nothing was written",
    Exit.REFUSED: "a guard or --expect refused the plan; nothing was written",
    Exit.PARTLY: "done in part: a tracker was down or cut short, an issue was skipped, or a change failed (see output)",
    Exit.BUSY: "another run of this site is at work; nothing was written",
    Exit.DEFECT: "a defect of this program (WARRANTY_TRACEBACK=1 shows where)",
    Exit.INTERRUPTED: "interrupted; the next run goes on from here",
}


def table() -> str:
    """The codes and their meanings, one a line."""
    return "\n".join(f"{code.value:>4}  {meaning}" for code, meaning in MEANING.items())
