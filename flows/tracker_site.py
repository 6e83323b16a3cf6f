"""One tracker of a site: where it is, whose words it uses, who is who in it."""

from __future__ import annotations

from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from connectors import registry
from flows.field_names import FieldNames
from flows.members import Member, Members, groups_in, memberships
from flows.named_value import Address, SecretName, Shape, never_by_value, wanted_of
from flows.project_groups import SUFFIX, is_group, within
from policies.issue import State
from policies.problem import nearest
from policies.roster import Membership, Roster
from policies.vocabulary import Vocabulary


def _in_groups(members: tuple[Member, ...], info: ValidationInfo) -> None:
    """Refuse a group that the tracker does not list."""
    if "groups" not in info.data:
        return  # they have mistakes of their own, told at their place
    groups: dict[str, tuple[Member, ...]] = info.data["groups"]
    for name in groups_in(members):
        if name not in groups:
            near = nearest(name, sorted(groups))
            raise PydanticCustomError(
                "unknown_group",
                "a group of this tracker, listed under its `groups`; there is no {name}{hint}",
                {"name": repr(name), "hint": f" (did you mean {near!r}?)" if near else ""},
            )


JUDGED_BY = {
    "name",
    "states",
    "severities",
    "categories",
    "fields",
    "groups",
    "responders",
    "bots",
    "customers",
    "tiers",
}
"""What of a tracker's part in the site makes verdicts."""


class TrackerSite(Shape):
    """One tracker of a site.

    Attributes:
        kind: a word of ``connectors.registry``.
        states: tracker's word (name in any language, id, ``group:done``, ``label:...``) -> canonical state.
        severities: tracker's word for a priority -> the pack's severity.
        categories: tracker's word (``type:Bug``, ``label:...``, ``component:...``) -> the pack's category.
        fields: see ``flows.field_names``.
        groups, responders, bots, customers, tiers: see ``flows.members``.
        timeout: seconds to connect, seconds to read.
    """

    name: str = Field(
        pattern=r"^[a-z][a-z0-9-]*$", max_length=40, description="what the site calls it, in reports and findings"
    )
    kind: str = Field(description="the kind of tracker: jira or gitlab")
    url: str | Address = Field(description="its address, or where that is found")
    user: str | SecretName = Field(
        "", description="the account we write with, where the tracker wants one beside the token"
    )
    token: Annotated[SecretName, BeforeValidator(never_by_value)] = Field(
        description="where its secret is found; never the secret itself"
    )
    projects: tuple[str, ...] = Field(
        min_length=1,
        description="project keys (Jira) or full paths (GitLab); a GitLab group, as acme/*, stands for its projects, those "
        "of its subgroups included, that the account is a member of when a run begins",
    )
    report_project: str = Field(
        "", description="the project of the report issue; the first one that is no group if left out"
    )
    states: dict[str, State] = Field(
        description="word of the tracker (name in any language, id, group:done, label:...) to canonical state"
    )
    severities: dict[str, str] = Field(
        default_factory=dict, description="word of the tracker for a priority (or label:...) to the pack's severity"
    )
    categories: dict[str, str] = Field(
        default_factory=dict,
        description="word of the tracker (type:Bug, label:..., component:...) to the pack's category",
    )
    fields: FieldNames = Field(
        default_factory=dict,
        description="our word to a custom field of the tracker, by id or unique name: reported_at (a date-time field: when "
        "it was reported), organisation, and any word a contract is matched by, as field: {WORD: ...}",
    )
    groups: dict[str, Members] = Field(
        default_factory=dict, description="name to accounts; the lists below name them as group:NAME"
    )
    responders: Members = Field((), description="account ids whose public reply is a response")
    bots: Members = Field((), description="account ids that are no person")
    customers: Members = Field((), description="account ids of customers, where the tracker does not say so")
    tiers: dict[str, Members] = Field(
        default_factory=dict,
        description="support tier to the account, or accounts, behind it, lowest tier first; the first account in force "
        "is assigned",
    )
    internal_comments: bool = Field(
        default=True,
        description="hide our comments from the customer (GitLab everywhere, Jira in service projects); false: public",
    )
    timeout: tuple[float, float] = Field(
        (10.0, 60.0), description="seconds to connect, seconds to read; one number for both"
    )
    requests_per_second: int | None = Field(
        None,
        ge=0,
        le=1000,
        description="no more are sent to its host by one process; left out: 10 to Jira, 30 to GitLab; 0 for no limit",
    )

    @field_validator("kind")
    @classmethod
    def _registered(cls, found: str) -> str:
        kinds = sorted(registry.KINDS)
        if found not in kinds:
            near = nearest(found, kinds)
            raise PydanticCustomError(
                "unknown_kind",
                "one of {kinds}{hint}",
                {"kinds": ", ".join(kinds), "hint": f" (did you mean {near!r}?)" if near else ""},
            )
        return found

    @field_validator("projects")
    @classmethod
    def _groups_of_projects(cls, found: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        kind = str(info.data.get("kind"))
        for name in (name for name in found if "*" in name):
            if "*" in name[:-1] or len(name) <= len(SUFFIX) or not is_group(name):
                raise PydanticCustomError("group", "a group, as acme/*; found {name}", {"name": repr(name)})
            if kind in registry.KINDS and not registry.KINDS[kind].groups:
                raise PydanticCustomError("no_groups", "no groups: {kind} has none; name its projects", {"kind": kind})
            if other := next((other for other in found if is_group(other) and within(other, name)), ""):
                raise PydanticCustomError("group", "{name} lies within {other}", {"name": name, "other": other})
        return found

    @field_validator("fields")
    @classmethod
    def _has_fields(cls, found: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        kind = str(info.data.get("kind"))
        if found and kind in registry.KINDS and not registry.KINDS[kind].custom_fields:
            raise PydanticCustomError(
                "no_fields", "no fields: {kind} has no custom fields to read; match by label instead", {"kind": kind}
            )
        return found

    @field_validator("groups")
    @classmethod
    def _of_accounts(cls, found: dict[str, tuple[Member, ...]]) -> dict[str, tuple[Member, ...]]:
        if nested := sorted(name for name, members in found.items() if any(groups_in(members))):
            raise PydanticCustomError(
                "nested", "groups of accounts, not of groups: see {names}", {"names": ", ".join(nested)}
            )
        return found

    @field_validator("responders", "bots", "customers")
    @classmethod
    def _known_groups(cls, found: tuple[Member, ...], info: ValidationInfo) -> tuple[Member, ...]:
        _in_groups(found, info)
        return found

    @field_validator("tiers")
    @classmethod
    def _known_groups_of_tiers(
        cls, found: dict[str, tuple[Member, ...]], info: ValidationInfo
    ) -> dict[str, tuple[Member, ...]]:
        for members in found.values():
            _in_groups(members, info)
        return found

    @field_validator("timeout", mode="before", json_schema_input_type=float | tuple[float, float])
    @classmethod
    def _one_or_two(cls, found: Any) -> Any:
        return (found, found) if isinstance(found, (int, float)) else found

    @model_validator(mode="after")
    def _web_address(self) -> Self:
        # Said of the tracker as a whole, so that an address with a password in it is not repeated.
        plain = self.url if isinstance(self.url, str) else self.url.default
        if plain and (wanted := wanted_of(plain)):
            raise PydanticCustomError("address", "{wanted}", {"wanted": wanted})
        return self

    @model_validator(mode="after")
    def _reports_somewhere(self) -> Self:
        plain = [name for name in self.projects if not is_group(name)]
        if not self.report_project and not plain:
            raise PydanticCustomError(
                "report_project", "report_project: the project of the report issue, where only groups are named", {}
            )
        there = self.report_project in plain or any(
            within(name, self.report_project) for name in self.projects if is_group(name)
        )
        if self.report_project and not there:
            raise PydanticCustomError(
                "report_project",
                "report_project is none of the projects: {projects}",
                {"projects": ", ".join(self.projects)},
            )
        return self

    @property
    def report_at(self) -> str:
        """The project in which the report issue stands."""
        return self.report_project or next(name for name in self.projects if not is_group(name))

    def vocabulary(self) -> Vocabulary:
        return Vocabulary(states=self.states, severities=self.severities, categories=self.categories)

    def roster(self, own: str, zone: str) -> Roster:
        """Who is who here. ``own`` is the account the flows write with, ``zone`` the one whose days count."""

        def of(members: tuple[Member, ...]) -> tuple[str | Membership, ...]:
            return memberships(members, self.groups, ZoneInfo(zone))

        return Roster(
            responders=of(self.responders),
            bots=of(self.bots),
            customers=of(self.customers),
            own=frozenset({own} if own else ()),
            tiers={tier: of(members) for tier, members in self.tiers.items()},
        )
