"""Runs a module as ``python -m`` does, and says at the end, on the last line of stderr, what the process took.

``python -m tests.bench.sweep_measured MODULE ARGUMENTS``. The peak is the process's own, from its start on; what the
system adds up for a parent also holds the parent's size at the fork.
"""

from __future__ import annotations

import json
import re
import runpy
import sys
import time
from pathlib import Path


def main() -> int:
    """The exit code of the module."""
    sys.argv = sys.argv[1:]
    code: object = 0
    try:
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    except SystemExit as end:
        code = end.code
    if isinstance(code, str):
        sys.stderr.write(f"{code}\n")
    peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="utf-8"))
    used = {"cpu": time.process_time(), "peak_mb": int(peak[1]) / 1024 if peak else 0.0}
    sys.stderr.write(f"{json.dumps(used)}\n")
    return code if isinstance(code, int) else int(code is not None)


if __name__ == "__main__":
    sys.exit(main())
