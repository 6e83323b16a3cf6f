"""Custom fields that a site names: our word -> the tracker's field, by id, type or unique name.

    fields: {reported_at: customfield_10050, contract: Contract number}

``reported_at`` and ``organisation`` are words of their own. Every other word is what a contract's ``match`` may ask for:
``{field: {contract: A-17}}``.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from connectors.tracker import ORGANISATION, REPORTED_AT
from policies.warranty import Match, Register

_OWN = (REPORTED_AT, ORGANISATION)
# "organization" and "Reported at" are slips, "reported_by" is another word.
_A_SLIP = 0.85


def _told_apart(found: dict[str, str]) -> dict[str, str]:
    """Words are compared without regard to case, as contracts do; one that is nearly a word of its own is a slip."""
    for word in found:
        near = difflib.get_close_matches(word.casefold(), _OWN, n=1, cutoff=_A_SLIP)
        if near and word not in _OWN:
            raise PydanticCustomError(
                "nearly",
                "a word that is not nearly one of {own}; did you mean {near}?",
                {"own": " and ".join(_OWN), "near": repr(near[0])},
            )
    folded = [word.casefold() for word in found]
    if twice := sorted({word for word in folded if folded.count(word) > 1}):
        raise PydanticCustomError("twice", "each word once, whatever its case: {words}", {"words": ", ".join(twice)})
    return found


_Word = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^\S(.*\S)?$")]
_Name = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^\S(.*\S)?$")]
FieldNames = Annotated[dict[_Word, _Name], AfterValidator(_told_apart)]


def asked_for(named: Mapping[str, str], register: Register | None) -> dict[str, str]:
    """The fields to read: those a site names, and the organisation where a contract is found by it."""
    by_organisation = register is not None and any(match.organisation for match in _matches(register))
    return {**({ORGANISATION: ""} if by_organisation else {}), **named}


def needed(register: Register) -> frozenset[str]:
    """The words of fields that contracts are matched by, in lower case."""
    return frozenset(word.casefold() for match in _matches(register) for word, _ in match.fields)


def _matches(register: Register) -> list[Match]:
    return [
        match
        for contract in register.contracts
        for match in (*contract.match, *(each.match for each in contract.exclusions))
    ]
