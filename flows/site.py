"""A site: which trackers, which projects, whose words, which pack, within which limits.

Rules:

1. A site file is read whole and every mistake in it is told at once, with file and line.
2. A secret never stands in a site file: it is named (environment variable or Prefect block) and looked up late, at the
   moment a connection is made, so that ``plan --help`` or a check of the file needs none.
3. A literal secret found where a name belongs is refused without being repeated.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import (
    AwareDatetime,
    BeforeValidator,
    Field,
    PrivateAttr,
    SecretStr,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from connectors import registry
from connectors.tracker import Connection
from flows.field_names import asked_for
from flows.named_value import Address, SecretName, Shape, wanted_of
from flows.tracker_site import JUDGED_BY, TrackerSite
from policies.loader import load_policy_set, load_register, read_shape
from policies.plan import Limits
from policies.policy_set import PolicySet
from policies.problem import InputError, Problem, nearest
from policies.warranty import Register

SHIPPED = Path(__file__).parent / "sites"


class LimitsShape(Shape):
    """The guards of a run; see ``policies.plan.Limits``."""

    changes_per_run: int = Field(
        default=Limits().changes_per_run, ge=0, description="more changes than this, and nothing is written"
    )
    changes_per_issue: int = Field(
        default=Limits().changes_per_issue, ge=0, description="an issue with more changes than this is held back"
    )
    share_of_issues: float = Field(
        default=Limits().share_of_issues,
        ge=0,
        le=1,
        description="a plan that touches a larger share of the issues is refused",
    )
    share_from: int = Field(default=Limits().share_from, ge=0, description="the share counts from so many issues on")


_File = Annotated[str, Field(min_length=1)]
_Files = Annotated[tuple[_File, ...], Field(min_length=1)]


def _one_or_many(found: Any) -> Any:
    return (found,) if isinstance(found, str) else found


_Packs = Annotated[_Files, BeforeValidator(_one_or_many, json_schema_input_type=_File | _Files)]


class Site(Shape):
    """A site file, read.

    Attributes:
        pack: a shipped pack's name, a path beside the site file, a folder of versions, or a list of files.
        contract_packs: the policies, beside shipped ones, that contracts of the register name by their id.
        contracts: the warranty register, a path beside the site file; "" for none: then nothing is said of coverage.
    """

    name: str = Field(
        pattern=r"^[a-z][a-z0-9-]*$", max_length=40, description="what the site is called; the ledger is named after it"
    )
    pack: _Packs = Field(
        description="a shipped pack's name, or a path beside the site file; for a policy of several versions the folder "
        "that holds them (v1.yaml, v2.yaml), or a list of their files",
    )
    contract_packs: tuple[_Packs, ...] = Field(
        (), description="policies that contracts name by their id, each as in `pack`; shipped ones need no naming"
    )
    language: Literal["en", "zh"] = Field("en", description="of comments and reports")
    zone: str = Field("UTC", description="IANA zone of the contract; due dates are dates in it")
    contracts: str = Field(
        "", description="the warranty register, a path beside the site file; left out: nothing is said of coverage"
    )
    adopted_at: AwareDatetime | None = Field(
        None,
        description="an instant with its offset, from which on people are told: what lies before it is labelled and "
        "reported, no one is assigned and nothing else written; left out: everything is told",
    )
    label_prefix: str = Field(
        default="warranty",
        pattern=r"^[a-z][a-z0-9-]*$",
        max_length=30,
        description="our labels are PREFIX::...; no other label is ever removed",
    )
    ledger: str | Address = Field("", description="SQLAlchemy URL of the ledger; left out: a file under .warranty")
    limits: LimitsShape = Field(LimitsShape(), description="what a run may change at most")
    trackers: tuple[TrackerSite, ...] = Field(min_length=1, description="the trackers of the site")

    _path: Path = PrivateAttr(default=Path())
    _register: Register | None = PrivateAttr(default=None)
    _policies: PolicySet | None = PrivateAttr(default=None)

    @classmethod
    def load(cls, path_or_name: str | Path) -> Self:
        """Read a site file by its path, or a shipped one by its name, and the register it names.

        Raises:
            InputError: there is no such file, or one of the two has mistakes (all of them are told).
        """
        path = Path(path_or_name)
        if not path.is_file():
            path = SHIPPED / f"{path_or_name}.yaml"
        if not path.is_file():
            names = sorted(each.stem for each in SHIPPED.glob("*.yaml"))
            raise InputError(
                (
                    Problem(
                        file=str(path_or_name),
                        line=0,
                        path="",
                        found="no such file",
                        expected=f"a path to a site file, or a shipped site: {', '.join(names)}",
                        nearest=nearest(str(path_or_name), names),
                    ),
                )
            )
        site = read_shape(path, cls)
        site._path = path.resolve()  # noqa: SLF001 - our own instance, made in the line above
        if site.contracts:
            site._register = load_register(path.resolve().parent / site.contracts)  # noqa: SLF001 - as above
        return site

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, found: str) -> str:
        try:
            ZoneInfo(found)
        except (KeyError, ValueError, OSError):
            from zoneinfo import available_timezones

            near = nearest(found, sorted(available_timezones()))
            raise PydanticCustomError(
                "zone",
                "an IANA zone such as Europe/Berlin{hint}",
                {"hint": f" (did you mean {near!r}?)" if near else ""},
            ) from None
        return found

    @model_validator(mode="after")
    def _names_once(self) -> Self:
        names = [tracker.name for tracker in self.trackers]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise PydanticCustomError("twice", "tracker named twice: {names}", {"names": ", ".join(twice)})
        return self

    @property
    def path(self) -> Path:
        return self._path

    @property
    def register(self) -> Register | None:
        """The contracts; None for a site without a register."""
        return self._register

    @property
    def ledger_url(self) -> str:
        """The ledger's SQLAlchemy URL; by default a file under ``.warranty`` in the current folder."""
        stated = self.ledger if isinstance(self.ledger, str) else self.ledger.value()
        return stated or f"sqlite:///.warranty/{self.name}.db"

    @property
    def report_label(self) -> str:
        """The label by which our report issue is found, and by which it is never judged."""
        return f"{self.label_prefix}::report"

    def tracker(self, name: str) -> TrackerSite:
        return next(tracker for tracker in self.trackers if tracker.name == name)

    def policies(self) -> PolicySet:
        """The site's own policy, and those its contracts were agreed under. Raises InputError."""
        if self._policies is None:
            base = self._path.parent
            self._policies = load_policy_set(
                self.pack, base, self._register, base / self.contracts, self.contract_packs
            )
        return self._policies

    @property
    def judged_by(self) -> str:
        """Sixteen hex digits over all in the site that makes a verdict: policies, what words mean, who is who.

        Raises:
            InputError: as ``policies``.
        """
        words = [tracker.model_dump(mode="json", include=JUDGED_BY) for tracker in self.trackers]
        parts = [self.policies().digest, self.zone, self.label_prefix, words]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]

    def plan_limits(self) -> Limits:
        return Limits(**self.limits.model_dump())

    def connection(self, tracker: TrackerSite) -> Connection:
        """How to reach a tracker, its secrets looked up now.

        Raises:
            InputError: an environment variable or block that the file names is not there.
        """
        return Connection(
            name=tracker.name,
            url=self.address(tracker),
            token=self._secret(tracker.token, tracker, "token"),
            user=tracker.user
            if isinstance(tracker.user, str)
            else self._secret(tracker.user, tracker, "user").get_secret_value(),
            timeout=tracker.timeout,
            requests_per_second=tracker.requests_per_second,
            fields=self.fields_of(tracker),
        )

    def fields_of(self, tracker: TrackerSite) -> dict[str, str]:
        """The custom fields to read of a tracker; see ``Connection.fields``."""
        if not registry.KINDS[tracker.kind].custom_fields:
            return {}
        return asked_for(tracker.fields, self._register)

    def origin(self, tracker: TrackerSite) -> str:
        """What cached issues hold good for: the address they were read from, and the fields read of each.

        Raises:
            InputError: as ``address``.
        """
        fields = self.fields_of(tracker)
        return " ".join((self.address(tracker), *(f"{word}={name!r}" for word, name in sorted(fields.items()))))

    def address(self, tracker: TrackerSite) -> str:
        """Where a tracker is, without a slash at the end.

        Raises:
            InputError: the variable that holds it is not set, or holds no address.
        """
        if isinstance(tracker.url, str):
            return tracker.url.rstrip("/")
        if not (address := tracker.url.value()):
            raise self._missing(tracker.url.env, tracker, "url")
        if wanted := wanted_of(address):
            # Not repeated: it may hold a password.
            found = f"no address in environment variable {tracker.url.env} (not shown)"
            raise self._mistaken(tracker.url.env, tracker, "url", found, wanted)
        return address.rstrip("/")

    def _secret(self, name: SecretName, tracker: TrackerSite, field: str) -> SecretStr:
        if name.env is not None:
            if not (value := os.environ.get(name.env, "")):
                raise self._missing(name.env, tracker, field)
            return SecretStr(value)
        assert name.block is not None
        from flows import embedded

        embedded.prepare()
        from flows.blocks import credentials

        return credentials(name.block.split("/", 1)[1], field)

    def _missing(self, variable: str, tracker: TrackerSite, field: str) -> InputError:
        wanted = f"the {field} of tracker {tracker.name!r} in it: export {variable}=..."
        return self._mistaken(variable, tracker, field, f"environment variable {variable} is not set", wanted)

    def _mistaken(self, variable: str, tracker: TrackerSite, field: str, found: str, expected: str) -> InputError:
        where = f"trackers.{tracker.name}.{field}"
        return InputError((Problem(str(self._path), self._line_of(variable), where, found, expected),))

    def _line_of(self, words: str) -> int:
        """The first line of the site file that holds the words, 0 if none does."""
        if not self._path.is_file():
            return 0
        lines = self._path.read_text(encoding="utf-8").splitlines()
        return next((number for number, line in enumerate(lines, 1) if words in line), 0)
