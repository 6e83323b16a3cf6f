"""``warranty contracts import``: a table of contracts as the text of a register file."""

from __future__ import annotations

import sys
from pathlib import Path

from flows import json_text
from flows.exit_codes import Exit
from policies.loader import load_table
from policies.register_csv import as_yaml


def from_table(file: Path, zone: str, *, as_json: bool) -> Exit:
    """Print the register that a table holds, as YAML or JSON.

    Raises:
        InputError: with every mistake of the table, each with its line and column.
    """
    data = load_table(file, zone)
    text = json_text.document(data) + "\n" if as_json else as_yaml(data)
    sys.stdout.write(text)
    return Exit.FINE
