"""The bar that shows whose time it was."""

from __future__ import annotations

from datetime import timedelta

from flows.share_bar import WIDTH, share_bar
from policies.shares import Share

HOUR = timedelta(hours=1)


def test_each_party_has_its_part_of_the_bar_and_its_words() -> None:
    told = share_bar(
        [
            Share("L1", 6 * HOUR, 6 * HOUR),
            Share("L2", 2 * HOUR, 2 * HOUR),
            Share("third_party", 2 * HOUR, 10 * HOUR, paused=True),
            Share("off_hours", 0 * HOUR, 2 * HOUR),
        ]
    ).plain
    assert told == (
        "████████████▓▓▓▓░░░░░░░░░░░░░░░░░░░░····"
        "  █ L1 6:00 h  ▓ L2 2:00 h  ░ third party (paused) 10:00 h, 2:00 h of it working time  · off hours 2:00 h"
    )
    assert told.index(" ") == WIDTH


def test_a_minute_beside_a_week_is_seen() -> None:
    told = share_bar([Share("L1", 168 * HOUR, 168 * HOUR), Share("unassigned", HOUR / 60, HOUR / 60)]).plain
    assert told.startswith("█" * WIDTH + "▫  ")


def test_foreign_words_do_nothing_to_the_terminal() -> None:
    assert "\x1b" not in share_bar([Share("L1\x1b[31m", HOUR, HOUR)]).plain


def test_nothing_to_share_out_is_no_bar() -> None:
    assert share_bar([]).plain == ""
