"""Fields that a site names: found in the list Jira gives, their values as text, whatever shape arrives."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import responses
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from connectors.jira.fields import NO_FIELDS, Field, Fields, as_text, field_of, one_field, resolved
from connectors.jira.mapping import FIELDS, Source, issue_of
from connectors.jira.service_desk import ORGANISATIONS, PARTICIPANTS, REQUEST_TYPE, SLA, native_sla, request_type
from connectors.jira.tracker import JiraReader
from connectors.ledger_text import ISSUE
from connectors.retry import Retry
from connectors.tracker import Connection, UnknownField
from policies.issue import GapKind, Issue

NAMED = Fields("customfield_1", "customfield_2", (("contract", "customfield_3"), ("site", "customfield_4")))
URL = "https://jira.example"


def mapped(named: Fields = NAMED, **fields: Any) -> Issue:
    payload = {
        "id": "1",
        "key": "CAR-1",
        "fields": {
            "created": "2026-03-02T09:00:00.000+0100",
            "status": {"id": "1", "name": "Open"},
            "comment": {"comments": [], "total": 0},
            **fields,
        },
        "changelog": {"histories": [], "total": 0},
    }
    issue = issue_of(payload, Source("support", URL, fields=named))
    assert isinstance(issue, Issue)
    return issue


# -------------------------------------------------------------------------------------------------------------- values


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (" A-17 ", "A-17"),
        ("a\x00b", "a\ufffdb"),
        (True, "true"),
        (False, "false"),
        (17, "17"),
        (17.0, "17"),
        (2.5, "2.5"),
        (1e300, "1e+300"),
        (float("nan"), ""),
        (float("inf"), ""),
        pytest.param(10**5000, "", id="huge"),
        ({"self": "x", "value": "Gold", "id": "10010"}, "Gold"),
        ({"value": "Europe", "child": {"value": "Berlin"}}, "Europe / Berlin"),
        ({"value": "", "child": {"value": "Berlin"}}, "Berlin"),
        ({"accountId": "5b10", "displayName": "Ann", "emailAddress": "ann@example.org"}, "Ann"),
        ({"name": "ann", "key": "JIRAUSER1", "displayName": "Ann Bo"}, "Ann Bo"),
        ({"name": "jira-users", "groupId": "1"}, "jira-users"),
        ({"id": "7", "name": "Acme"}, "Acme"),
        ({"workspaceId": "1", "objectId": "2"}, ""),
        ([{"value": "A"}, {"value": "B"}], "A, B"),
        (["a", None, "", {"x": 1}, "b"], "a, b"),
        ([], ""),
        ({"type": "doc", "content": [{"type": "paragraph", "content": [{"type": "text", "text": "A-17"}]}]}, "A-17"),
        ({"value": {"value": "deep"}}, ""),
        (object(), ""),
    ],
)
def test_a_value_of_each_shape_is_text(value: Any, text: str) -> None:
    assert as_text(value) == text
    assert mapped(customfield_3=value).fields == ((("contract", text),) if text else ())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["value", "child", "name", "type", "x"]), inner),
    max_leaves=12,
)


@given(JSON)
def test_no_value_stops_an_issue(value: Any) -> None:
    issue = mapped(customfield_1=value, customfield_2=value, customfield_3=value, versions=value)
    assert all(text.strip() for _, text in issue.fields)
    assert issue.organisation == issue.organisation.strip()


def test_a_choice_nested_without_end_is_cut() -> None:
    deep: Any = "x"
    for _ in range(5000):
        deep = {"value": "v", "child": deep}
    assert as_text(deep).startswith("v / v")
    for _ in range(5000):
        deep = [deep]
    assert as_text(deep) == ""
    assert mapped(customfield_1=deep).reported_at is None


def test_versions_that_are_affected_are_read_without_being_named() -> None:
    assert "versions" in FIELDS
    issue = mapped(NO_FIELDS, versions=[{"id": "1", "name": "2.3"}, None, {"id": "2"}, {"name": "3.0"}])
    assert issue.versions == ("2.3", "3.0")
    assert (issue.fields, issue.organisation, issue.reported_at) == ((), "", None)


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ([{"name": "Acme"}, {"name": "Other"}], "Acme"),
        ({"value": "Acme"}, "Acme"),
        ("Acme", "Acme"),
        ([], ""),
        (3, "3"),
    ],
)
def test_the_first_organisation_is_the_issues(value: Any, name: str) -> None:
    assert mapped(customfield_2=value).organisation == name


def test_a_date_time_is_when_it_was_reported() -> None:
    issue = mapped(customfield_1="2026-03-01T23:30:00.000+0800")
    assert issue.reported_at == datetime(2026, 3, 1, 15, 30, tzinfo=UTC)
    assert issue.gaps == ()


@pytest.mark.parametrize("empty", [None, "", "  "])
def test_an_empty_field_says_nothing_of_the_report(empty: str | None) -> None:
    issue = mapped(customfield_1=empty)
    assert (issue.reported_at, issue.gaps) == (None, ())


@pytest.mark.parametrize("value", ["2026-03-01", "2026-03-01T23:30:00", "yesterday", 1772379000, True, {"value": "x"}])
def test_what_is_no_instant_with_its_offset_is_a_gap_and_no_guess(value: Any) -> None:
    issue = mapped(customfield_1=value)
    assert issue.reported_at is None
    assert [gap.kind for gap in issue.gaps] == [GapKind.REPORT]


def test_a_member_without_a_name_is_no_field_of_the_site() -> None:
    issue = mapped(NO_FIELDS, **{"": "2026-03-01"})
    assert (issue.organisation, issue.gaps) == ("", ())


# --------------------------------------------------------------------------------------------------------------- found

LISTED = (
    Field("summary", "Summary", "string"),
    Field("customfield_1", "Called at", "datetime", "x:datetime"),
    Field("customfield_2", "Organizations", "array", ORGANISATIONS),
    Field("customfield_3", "Contract", "string", "x:text"),
    Field("customfield_4", "contract ", "option", "x:select"),
    Field("customfield_5", "customfield_3", "string", "x:text"),
    Field("customfield_6", "Called on", "date", "x:date"),
)


@pytest.mark.parametrize(
    ("wanted", "id_"),
    [
        ("customfield_3", "customfield_3"),
        ("CUSTOMFIELD_1", "customfield_1"),
        ("x:select", "customfield_4"),
        ("called AT", "customfield_1"),
        ("Summary", "summary"),
    ],
)
def test_a_field_is_found_by_id_else_by_type_else_by_name(wanted: str, id_: str) -> None:
    field = one_field("contract", wanted, LISTED, "support")
    assert field is not None
    assert field.id == id_


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ("Contract", "2 fields fit 'Contract': customfield_3 (Contract), customfield_4 (contract )"),
        ("x:text", "2 fields fit 'x:text'"),
        ("Called of", "the nearest are customfield_6 (Called on)"),
        ("zzz", "there is no field 'zzz', or this account may not see it"),
        ("", "there is no field ''"),
    ],
)
def test_no_field_or_several_are_told_and_none_is_taken(wanted: str, told: str) -> None:
    with pytest.raises(UnknownField) as refused:
        one_field("contract", wanted, LISTED, "support")
    assert told in str(refused.value)
    assert str(refused.value).startswith("support: contract: ")


def test_many_candidates_are_told_in_part() -> None:
    many = [Field(f"customfield_{number}", "Contract") for number in range(8)]
    with pytest.raises(UnknownField, match=r"customfield_4 \(Contract\) and 3 more"):
        one_field("contract", "Contract", many, "support")


def test_the_organisation_is_found_by_its_type_where_it_is_not_named() -> None:
    assert resolved({"contract": "customfield_3"}, LISTED, "support").organisation == "customfield_2"
    assert resolved({"organisation": "Called on"}, LISTED, "support").organisation == "customfield_6"
    assert resolved({"organisation": ""}, LISTED[:1], "support") == NO_FIELDS


def test_two_fields_of_organisations_are_a_mistake_only_where_one_is_needed() -> None:
    twice = (*LISTED, Field("customfield_9", "Customers", "array", ORGANISATIONS))
    assert resolved({"contract": "customfield_3"}, twice, "support").organisation == ""
    with pytest.raises(UnknownField, match="organisation: 2 fields fit"):
        resolved({"organisation": ""}, twice, "support")


def test_all_words_that_fit_nothing_are_told_together() -> None:
    with pytest.raises(UnknownField) as refused:
        resolved({"contract": "Contract", "reported_at": "Called on", "site": "Nowhere"}, LISTED, "support")
    for words in ("contract: 2 fields", "holds a date", "site: there is no field", "warranty doctor"):
        assert words in str(refused.value)


@given(JSON)
def test_no_list_of_fields_stops_a_run(entry: Any) -> None:
    field = field_of(entry)
    assert field is None or field.id
    assert field_of({"id": "a", "schema": entry}) is not None


# -------------------------------------------------------------------------------------------------------- service desk

DESK_LISTED = (
    *LISTED,
    Field("customfield_10", "Request Type", "any", REQUEST_TYPE),
    Field("customfield_11", "Participants", "array", PARTICIPANTS),
    Field("customfield_20", "Time to first response", "any", SLA),
    Field("customfield_21", "Time to resolution", "any", SLA),
)


def test_what_a_service_desk_keeps_is_found_by_its_types() -> None:
    found = resolved({}, DESK_LISTED, "support")
    assert dict(found.desk) == {
        "request_type": "customfield_10",
        "organisations": "customfield_2",
        "request_participants": "customfield_11",
    }
    assert [name for name, _ in found.slas] == ["Time to first response", "Time to resolution"]
    assert len(set(found.ids)) == len(found.ids) == 5


def test_a_word_of_the_site_stands_before_a_service_desks() -> None:
    found = resolved({"request_type": "customfield_3"}, DESK_LISTED, "support")
    assert found.others == (("request_type", "customfield_3"),)
    assert "request_type" not in dict(found.desk)


def test_two_fields_of_one_type_are_told_apart_by_nobody_so_neither_is_read() -> None:
    twice = (*DESK_LISTED, Field("customfield_12", "Request Type 2", "any", REQUEST_TYPE))
    assert "request_type" not in dict(resolved({}, twice, "support").desk)


def test_the_values_of_a_service_desk_become_words_and_those_that_hold_nothing_are_left_out() -> None:
    named = Fields(desk=(("request_type", "customfield_10"), ("request_participants", "customfield_11")))
    full = mapped(
        named,
        customfield_10={"requestType": {"name": "Report a defect"}},
        customfield_11=[{"displayName": "Ann"}, {"displayName": "Bob"}],
    )
    assert full.fields == (("request_type", "Report a defect"), ("request_participants", "Ann, Bob"))
    assert mapped(named, customfield_10=None, customfield_11=[]).fields == ()


def cycle(**more: Any) -> dict[str, Any]:
    return {"startTime": {"epochMillis": 1_772_000_000_000}, "breached": False, **more}


def test_cycles_stand_in_order_with_the_ongoing_one_last() -> None:
    later = cycle(startTime={"iso8601": "2026-03-02T11:00:00+0100"}, breached=True)
    found = native_sla(
        "SLA", {"completedCycles": [later, cycle(), {"breached": True}], "ongoingCycle": cycle(paused=True)}
    )
    assert found is not None
    assert [(one.started, one.breached, one.paused) for one in found.cycles] == [
        (datetime(2026, 2, 25, 6, 13, 20, tzinfo=UTC), False, False),
        (datetime(2026, 3, 2, 10, tzinfo=UTC), True, False),
        (None, True, False),
        (datetime(2026, 2, 25, 6, 13, 20, tzinfo=UTC), False, True),
    ]
    assert found.name == "SLA"


@pytest.mark.parametrize("value", [None, [], "x", {}, {"completedCycles": [], "ongoingCycle": None}, {"id": "1"}])
def test_an_sla_that_does_not_apply_is_none(value: Any) -> None:
    assert native_sla("SLA", value) is None


@given(
    value=JSON, member=st.sampled_from(["startTime", "stopTime", "breachTime", "goalDuration", "elapsedTime", "paused"])
)
def test_no_value_of_a_service_desk_stops_a_run(value: Any, member: str) -> None:
    request_type(value)
    native_sla("SLA", value)
    native_sla("SLA", {"completedCycles": value, "ongoingCycle": {member: value}})
    for name in ("epochMillis", "iso8601", "millis"):
        native_sla("SLA", {"ongoingCycle": {member: {name: value}}})


@pytest.mark.parametrize("huge", [10**5000, -(10**5000), 10**19, -1], ids=["long", "long, negative", "far", "near"])
def test_a_number_beyond_all_time_is_none(huge: int) -> None:
    found = native_sla("SLA", {"ongoingCycle": {"startTime": {"epochMillis": huge}, "goalDuration": {"millis": huge}}})
    assert found is not None
    assert huge == -1 or (found.cycles[0].started, found.cycles[0].goal) == (None, None)


def test_native_slas_are_kept_in_the_ledgers_text_and_older_rows_have_none() -> None:
    sla = {"name": "Time to resolution", "ongoingCycle": cycle(goalDuration={"millis": 28_800_000}, paused=True)}
    issue = mapped(Fields(slas=(("SLA", "customfield_20"),)), customfield_20=sla)
    assert issue.native_slas[0].cycles[0].goal == timedelta(hours=8)
    text = ISSUE.write(issue)
    assert ISSUE.read(text) == issue
    older = json.loads(text)
    del older["native_slas"]
    assert ISSUE.read(json.dumps(older)) == replace(issue, native_slas=())


# ------------------------------------------------------------------------------------------------------------- requests


def _served(cloud: bool, fields: list[Any]) -> str:
    rest = f"{URL}/rest/api/{3 if cloud else 2}"
    responses.get(
        f"{URL}/rest/api/2/serverInfo", json={"deploymentType": "Cloud" if cloud else "Server", "baseUrl": URL}
    )
    responses.get(f"{rest}/myself", json={"accountId": "me", "name": "me", "key": "me", "timeZone": "UTC"})
    responses.get(f"{rest}/field", json=fields)
    return rest


@responses.activate
@pytest.mark.parametrize("cloud", [True, False])
def test_the_search_asks_for_what_is_named_and_the_list_of_fields_is_read_once(cloud: bool) -> None:
    rest = _served(cloud, [{"id": "customfield_1", "name": "Contract", "schema": {"type": "string"}}, "odd", {}])
    search = responses.post(f"{rest}/search{'/jql' if cloud else ''}", json={"issues": [], "total": 0, "isLast": True})
    connection = Connection(name="support", url=URL, token=SecretStr("token-1"), fields={"contract": "Contract"})
    reader = JiraReader(connection, retry=Retry(attempts=1))
    for _ in range(2):
        assert list(reader.changed_since("CAR", None)) == []
    reader.close()
    assert reader.requests["GET field"] == 1
    for call in search.calls:
        assert isinstance(call.request.body, bytes)
        assert call.request.body.count(b"customfield_1") == 1
