"""Where things are below ``/api/v4/``."""

from __future__ import annotations

import re
from urllib.parse import quote


def project_path(project: str) -> str:
    """``projects/acme%2Fcar`` for ``acme/car``."""
    return f"projects/{quote(project, safe='')}"


def group_path(group: str) -> str:
    """``groups/acme%2Fsupport`` for ``acme/support``."""
    return f"groups/{quote(group, safe='')}"


def noun_of(path: str) -> str:
    """What a path is about, without the names in it: ``issues/notes`` for ``projects/9/issues/7/notes/31``."""
    parts = path.split("?", maxsplit=1)[0].split("/")
    # Collections and names take turns; a collection is a plain word.
    nouns = [part for part in parts[2:] if re.fullmatch(r"[a-z_]+", part)] if parts[0] in {"projects", "groups"} else []
    return "/".join(nouns) or parts[0]
