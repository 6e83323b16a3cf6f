"""Whose time a clock's was, as a bar of one line and its legend."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from rich.text import Text

from flows.grid import line
from flows.render import span
from policies.shares import OFF_HOURS, OTHER, UNASSIGNED, UNKNOWN, Share

WIDTH = 40
"""Cells of a whole bar; a part that would get none gets one all the same."""

# Told apart without colours too: what ran is filled, what stood still is shaded, off hours are dots.
_RAN = (("█", "cyan"), ("▓", "green"), ("▒", "yellow"))
_OWN = {OTHER: ("▪", "yellow"), UNASSIGNED: ("▫", "bold yellow"), UNKNOWN: ("?", "magenta"), OFF_HOURS: ("·", "dim")}
_STOOD = ("░", "blue")


def share_bar(shares: Sequence[Share]) -> Text:
    """The bar and the legend; empty where there is nothing to share out."""
    whole = sum((share.elapsed for share in shares), timedelta())
    bar, legend = Text(), Text()
    tiers = 0
    for share in shares:
        if share.paused:
            mark, style = _STOOD
        elif share.party in _OWN:
            mark, style = _OWN[share.party]
        else:
            mark, style = _RAN[tiers % len(_RAN)]
            tiers += 1
        bar.append(mark * max(1, round(WIDTH * (share.elapsed / whole))), style=style)
        legend.append("  " if legend else "")
        legend.append(mark, style=style)
        legend.append(f" {in_words(share)}")
    return Text.assemble(bar, "  ", legend) if shares else bar


def in_words(share: Share) -> str:
    """A share in a few words: "customer (paused) 17:00 h, 2:00 h of it working time"."""
    party = line(share.party).replace("_", " ") + (" (paused)" if share.paused else "")
    off = share.working == share.elapsed or (share.party == OFF_HOURS and not share.paused)
    return f"{party} {span(share.elapsed)}" + ("" if off else f", {span(share.working)} of it working time")
