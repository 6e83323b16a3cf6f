"""Values of a site file that stand elsewhere: secrets always, addresses where a site wants it.

Rules:

1. A secret is named (environment variable or Prefect block), never written down.
2. A literal secret found where a name belongs is refused without being repeated.
"""

from __future__ import annotations

import os
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

BLOCK = "warranty-credentials"


class Shape(BaseModel):
    """What every part of a site file is: closed, frozen, and silent about what it was given."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def wanted_of(address: str) -> str:
    """What an address lacks to be one, "" where nothing."""
    if not address.startswith(("https://", "http://")):
        return "a url that starts with https:// or http://"
    if "@" in address.split("/", 3)[2]:
        return "a url without a user or password in it"
    return ""


def never_by_value(found: Any) -> Any:
    if isinstance(found, (str, int, float)):
        raise PydanticCustomError(
            "secret_by_value",
            "where it is found, never the secret itself: {open}env: NAME{close} or {open}block: {block}/NAME{close}",
            {"open": "{", "close": "}", "block": BLOCK},
        )
    return found


class SecretName(Shape):
    """Where a secret is: an environment variable, or a Prefect block of type ``warranty-credentials``."""

    env: str | None = Field(
        default=None, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", description="name of an environment variable"
    )
    block: str | None = Field(
        default=None, pattern=rf"^{BLOCK}/[a-z0-9-]+$", description="name of a Prefect block: warranty-credentials/NAME"
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.env is None) == (self.block is None):
            raise PydanticCustomError("secret_name", "name exactly one of env and block")
        return self


class Address(Shape):
    """An address taken from an environment variable, with a default for when it is not set."""

    env: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", description="name of an environment variable")
    default: str = Field("", description="taken where it is not set")
    suffix: str = Field("", description="put behind what it says")

    def value(self) -> str:
        """What it comes to now, "" where the variable is not set and there is no default."""
        base = (os.environ.get(self.env, "") or self.default).rstrip("/")
        return f"{base}{self.suffix}" if base else ""
