"""Prefect blocks for credentials: used only where a site file names one, registered by Prefect's entry point."""

from __future__ import annotations

from typing import Any

from prefect.blocks.core import Block
from pydantic import Field, SecretStr

from flows.exit_codes import Exit
from flows.refusal import Refusal


class WarrantyCredentials(Block):
    """What a site needs to log in to one tracker.

    A site file names it as ``{block: warranty-credentials/NAME}``.
    """

    _block_type_name = "Warranty Credentials"
    _block_type_slug = "warranty-credentials"
    _description = "The account and token with which the warranty flows read and write one Jira or GitLab."

    token: SecretStr = Field(description="API token, personal access token or project access token.")
    user: SecretStr = Field(
        default=SecretStr(""), description="The account's mail address (Jira Cloud only; empty elsewhere)."
    )


def credentials(name: str, field: str) -> SecretStr:
    """One field of a saved block.

    Raises:
        Refusal: no such block on the Prefect server in use.
    """
    try:
        loaded: Any = WarrantyCredentials.load(name)
        block: WarrantyCredentials = loaded
    except (ValueError, RuntimeError) as failure:
        raise Refusal(
            f"no Prefect block warranty-credentials/{name} could be loaded ({type(failure).__name__})",
            Exit.BAD_INPUT,
            "register it: prefect block register -m flows.blocks, then create it in the UI; or name an env variable",
        ) from None
    secret: SecretStr = getattr(block, field)
    return secret
