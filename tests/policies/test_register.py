"""The register file, and the table it may come from."""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from ruamel.yaml import YAML

from policies import register, register_csv
from policies.coverage import Decision
from policies.register import RegisterShape, slips
from policies.register_csv import COLUMNS, CellProblem, TableError, as_yaml, register_from_table
from policies.term import CalendarDays, CalendarMonths, Extension, Suspension
from policies.warranty import Clause, Cover, Exclusion, Match, Product

FULL = """
zone: Asia/Shanghai
version_label: "version::"
contracts:
  - id: acme-2026
    customer: Acme
    match: [{organisation: Acme}, {project: acme/*, field: {Contract: AC-1}}]
    products: [{name: Car, lines: ["2", 3.x]}]
    begins: {accepted: "2026-03-01"}
    duration: 12mo
    extensions:
      - {duration: 30d, document: Amendment 1, date: "2026-11-02"}
      - {until: "2027-12-31", document: Amendment 2, date: "2027-01-04"}
    suspensions: [{from: "2026-06-01", to: "2026-06-30", reason: plant closed, document: Letter 7, reports: disputed}]
    tier: gold
    calendar: cn-office
    policy: standard-warranty
    clauses:
      defect: {cover: included, clause: "4.1"}
      upgrade: {cover: chargeable, clause: "4.5"}
    exclusions: [{match: {component: firmware}, clause: "4.6"}]
  - id: acme-2025
    customer: Acme
    zone: UTC
    match: [{organisation: Acme}]
    begins: {delivered: null}
    duration: 2y
    supersedes: [acme-2026]
"""


def plain(text: str = FULL) -> dict[str, Any]:
    found: dict[str, Any] = YAML(typ="safe", pure=True).load(text)
    return found


def test_a_register_file_becomes_contracts() -> None:
    built = RegisterShape.model_validate(plain()).build()
    assert built.version_label == "version::"
    first, second = built.contracts
    assert (first.id, first.customer, first.accepted, str(first.zone)) == ("acme-2026", "Acme", True, "Asia/Shanghai")
    assert first.match == (
        Match(organisation=("Acme",)),
        Match(project=("acme/*",), fields=(("Contract", ("AC-1",)),)),
    )
    assert first.products == (Product("Car", ("2", "3.x")),)
    assert (first.term.begins, first.term.duration) == (date(2026, 3, 1), CalendarMonths(12))
    assert first.term.extensions == (
        Extension(CalendarDays(30), "Amendment 1", date(2026, 11, 2)),
        Extension(date(2027, 12, 31), "Amendment 2", date(2027, 1, 4)),
    )
    assert first.term.suspensions == (
        Suspension(date(2026, 6, 1), date(2026, 6, 30), "plant closed", "Letter 7", Decision.DISPUTED),
    )
    assert (first.tier, first.calendar, first.policy) == ("gold", "cn-office", "standard-warranty")
    assert first.clauses == {"defect": Clause(Cover.INCLUDED, "4.1"), "upgrade": Clause(Cover.CHARGEABLE, "4.5")}
    assert first.exclusions == (Exclusion(Match(component=("firmware",)), "4.6"),)
    assert (second.accepted, second.term.begins, str(second.zone)) == (False, None, "UTC")
    assert (second.tier, second.clauses, second.supersedes) == ("", {}, ("acme-2026",))


def test_the_example_in_the_description_is_a_register() -> None:
    described = register.__doc__
    assert described is not None
    example = described[described.index("    zone:") : described.index("Every day named")]
    (row,) = RegisterShape.model_validate(plain(example)).build().contracts
    assert row.term.last_day(date(2027, 6, 1)) == date(2027, 12, 31)


def test_a_register_may_be_empty() -> None:
    assert RegisterShape.model_validate({}).build().contracts == ()


def changed(**values: Any) -> dict[str, Any]:
    """The full register with its first contract changed."""
    data = plain()
    data["contracts"][0].update(values)
    return data


DOCUMENT = {"document": "A", "date": "2026-11-02"}
SUSPENDED = {"reason": "r", "document": "d"}


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"id": "a b"}, "match pattern"),
        ({"customer": ""}, "at least 1 character"),
        ({"customer": "A\x1b[31m"}, "without control or invisible characters"),
        ({"customer": "A\u202eB"}, "without control or invisible characters"),
        ({"customer": "x" * 301}, "at most 300 characters"),
        ({"match": []}, "at least 1 item"),
        ({"match": [{}]}, "a word to match by"),
        ({"match": [{"organization": "Acme"}]}, "not permitted"),
        ({"duration": "12"}, "write 12mo for months"),
        ({"duration": 12}, "write 12mo for months"),
        ({"duration": "24h"}, "write 12mo for months"),
        ({"duration": {"months": 12}}, "write 12mo for months"),
        ({"begins": {}}, "exactly one of delivered and accepted"),
        ({"begins": {"delivered": "2026-01-01", "accepted": "2026-01-01"}}, "exactly one of delivered and accepted"),
        ({"begins": {"delivered": "01.03.2026"}}, "year, month, day"),
        ({"begins": {"delivered": 20260301}}, "year, month, day"),
        ({"begins": {"delivered": "2026-02-30"}}, "year, month, day"),
        ({"begins": {"delivered": "0026-02-03"}}, "between 1970 and 2199"),
        ({"extensions": [DOCUMENT]}, "exactly one of duration and until"),
        ({"extensions": [{**DOCUMENT, "duration": "1y", "until": "2030-01-01"}]}, "exactly one of duration and until"),
        ({"extensions": [{**DOCUMENT, "until": "2027-03-01"}]}, "A names 2027-03-01, it ends 2027-03-01"),
        ({"extensions": [{"duration": "1y", "date": "2026-01-01"}]}, "Field required"),
        ({"extensions": [{**DOCUMENT, "duration": "1d"}] * 41}, "at most 40 items"),
        ({"suspensions": [{**SUSPENDED, "from": "2026-02-02", "to": "2026-02-01"}]}, "ends on its first day or later"),
        ({"suspensions": [{**SUSPENDED, "from": "2026-02-02"}]}, "Field required"),
        ({"zone": "Mars/Olympus"}, "an IANA zone"),
        ({"zone": "../../etc/passwd"}, "an IANA zone"),
        ({"clauses": {"defect": {"cover": "maybe", "clause": "4"}}}, "'included', 'excluded' or 'chargeable'"),
        ({"clauses": {"defect": {"cover": "included"}}}, "Field required"),
        ({"exclusions": [{"match": {}, "clause": "4"}]}, "a word to match by"),
        ({"products": [{"name": "Car", "lines": ["*"]}]}, "match pattern"),
        ({"id": "acme-2025"}, "'acme-2025': an id that no other contract has"),
        ({"supersedes": ["none"]}, "'none': the id of another contract"),
        ({"supersedes": ["acme-2026"]}, "'acme-2026': the id of another contract"),
    ],
)
def test_a_mistake_in_a_register_is_told(values: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError) as refused:
        RegisterShape.model_validate(changed(**values))
    assert told in str(refused.value)


def test_slips_name_their_place_and_bear_any_data() -> None:
    for data in ({}, {"contracts": 3}, {"contracts": [3, {"id": None}, {"id": "a", "supersedes": 4}]}):
        assert list(slips(data)) == []
    twice = {"contracts": [{"id": "a", "supersedes": ["b"]}, {"id": "a"}]}
    assert [slip.path for slip in slips(twice)] == [("contracts", 0, "supersedes", 0), ("contracts", 1, "id")]


def test_contracts_that_supersede_one_another_in_a_ring_are_told_at_each_place() -> None:
    rows = [
        3,
        {"id": "a", "supersedes": ["d", "b"]},
        {"id": "b", "supersedes": ["c"]},
        {"id": "c", "supersedes": ["a"]},
    ]
    found = list(slips({"contracts": [*rows, {"id": "d", "supersedes": []}, {"id": "e", "supersedes": ["a", "d"]}]}))
    assert [slip.path for slip in found] == [
        ("contracts", 1, "supersedes", 1),
        ("contracts", 2, "supersedes", 0),
        ("contracts", 3, "supersedes", 0),
    ]
    assert (found[0].found, found[0].expected) == ("'b'", "a contract that does not supersede a in turn")


def test_days_may_come_as_dates_too() -> None:
    shape = RegisterShape.model_validate(changed(begins={"delivered": date(2026, 3, 1)}, duration=CalendarMonths(12)))
    assert shape.contracts[0].begins.delivered == date(2026, 3, 1)


def test_a_shape_gives_back_what_it_was_made_of() -> None:
    shape = RegisterShape.model_validate(plain())
    again = RegisterShape.model_validate(shape.model_dump(mode="json", by_alias=True, exclude_unset=True))
    assert again.build() == shape.build()


def test_a_register_has_a_json_schema() -> None:
    schema = RegisterShape.model_json_schema(by_alias=True)
    assert "ContractShape" in schema["$defs"]


# -------------------------------------------------------------------------------------------------------------- tables

HEAD = "id,customer,product,lines,accepted,delivered,duration,extensions,suspensions,match_organisation,match_field,defect,upgrade,exclude_label,supersedes,tier\n"
ROW = (
    "acme-1,Acme,Car; Trailer,2 | 3.x; 1,2026/3/1,,12mo,"
    "6mo | Amendment 1 | 2026-11-02; until 2028-12-31 | Amendment 2 | 2027-05-04,"
    "2026-06-01..2026-06-30 | plant closed | Letter 7,Acme; Acme Ltd,Contract=AC-1; Contract = AC-2; Site=7,"
    "Included | 4.1 | all of it,chargeable | 4.5,third-party | 4.6; lab | 4.7,acme-0,gold\n"
)
OLD = "acme-0,Acme,,,,2025-03-01,2y,,,Acme,,,,,,\n"


def test_a_table_becomes_the_register_file() -> None:
    data = register_from_table("\ufeff" + HEAD + ROW + ",,,\n\n" + OLD, "Asia/Shanghai")
    written = plain(as_yaml(data))
    assert written == data
    first, second = RegisterShape.model_validate(written).build().contracts
    assert first.products == (Product("Car", ("2", "3.x")), Product("Trailer", ("1",)))
    assert first.match == (
        Match(organisation=("Acme", "Acme Ltd"), fields=(("Contract", ("AC-1", "AC-2")), ("Site", ("7",)))),
    )
    assert first.clauses["defect"] == Clause(Cover.INCLUDED, "4.1 | all of it")
    assert [each.text for each in first.exclusions] == ["4.6", "4.7"]
    assert first.term.extensions[1].by == date(2028, 12, 31)
    assert first.term.last_day(date(2026, 12, 1)) == date(2027, 10, 1)
    assert (first.accepted, first.supersedes, first.tier) == (True, ("acme-0",), "gold")
    assert (second.accepted, second.term.begins, str(second.zone)) == (False, date(2025, 3, 1), "Asia/Shanghai")


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_a_table_may_use_other_separators(delimiter: str) -> None:
    text = delimiter.join(["ID", " Customer ", "delivered", "duration", "match_label"]) + "\r\n"
    text += delimiter.join(["a", '"Acme; Sons, Ltd"', "2026-01-01", "1y", "acme"]) + "\r\n"
    assert register_from_table(text)["contracts"][0]["customer"] == "Acme; Sons, Ltd"


SHORT = "id,customer,delivered,duration,match_label,defect,extensions,suspensions,zone\n"


@pytest.mark.parametrize("text", ["=1+1", "+49 30", "-5 V", "@SUM(A1)", "＝1+1"])
def test_free_text_that_looks_like_a_formula_stays_text(text: str) -> None:
    (row,) = register_from_table(SHORT + f"a,{text},2026-01-01,1y,acme,included | {text},,,\n")["contracts"]
    assert (row["customer"], row["clauses"]["defect"]["clause"]) == (f"'{text}", f"'{text}")


@pytest.mark.parametrize(
    ("cells", "column"),
    [
        ("=a,Acme,2026-01-01,1y,acme", "id"),
        ("a,Acme,=TODAY(),1y,acme", "delivered"),
        ("a,Acme,2026-01-01,=1y,acme", "duration"),
        ("a,Acme,2026-01-01,1y,=acme", "match_label"),
    ],
)
def test_a_formula_where_a_word_belongs_is_a_mistake(cells: str, column: str) -> None:
    assert [(problem.line, problem.column) for problem in problems(SHORT + cells)] == [(2, column)]


def problems(text: str) -> tuple[CellProblem, ...]:
    with pytest.raises(TableError) as refused:
        register_from_table(text)
    assert str(refused.value).count("\n") == len(refused.value.problems) - 1
    return refused.value.problems


def test_all_mistakes_of_a_table_are_told_at_once_with_line_and_column() -> None:
    table = SHORT + (
        "a b,,01.03.2026,12,,included,6mo,June | r | d,\n"
        'x,"A\nB",2026-02-30,1y,x,maybe | 3,until 2020-01-01 | A | 2026-01-01,,Mars/X\n'
        "x,Acme,,365d,l,,6 months | A | 2026-01-01,2026-02-02..2026-02-01 | r | d,\n"
        "x,Acme,2026-01-01,365d,l,,,2026-02-02 | r | d,,over\n"
        "y,Acme,2026-01-01,,l,,until 2026-03-01 | A | 2026-02-01,2026-01-01..x | r | d,\n"
    )
    assert [(problem.line, problem.column) for problem in problems(table)] == [
        (2, "customer"),
        (2, "defect"),
        (2, "delivered"),
        (2, "duration"),
        (2, "extensions"),
        (2, "id"),
        (2, "match_..."),
        (2, "suspensions"),
        (3, "customer"),
        (3, "defect"),
        (3, "delivered"),
        (3, "zone"),
        (5, "extensions"),
        (5, "id"),
        (5, "suspensions"),
        (6, ""),
        (6, "id"),
        (6, "suspensions"),
        (7, "duration"),
        (7, "suspensions"),
    ]


@pytest.mark.parametrize(
    ("text", "line", "column", "found"),
    [
        ("", 0, "", "nothing"),
        ("\n \n", 0, "", "nothing"),
        (SHORT.replace("zone", "zones"), 1, "zones", "'zones'"),
        (SHORT.replace("zone", "defect"), 1, "defect", "'defect' twice"),
        ("customer,delivered,duration,match_label", 1, "id", "nothing"),
        ("id,customer,duration,match_label", 1, "delivered", "nothing"),
        ("id,customer,delivered,duration", 1, "match_...", "nothing"),
        (SHORT + 'a,"Acme,2026-01-01', 2, "", "unexpected end of data"),
        (SHORT + "a\0", 2, "", "a NUL character"),
        ("x" * 10_000_001, 0, "", "10000001 characters"),
        ("id,customer,product,lines,delivered,duration,match_label\na,A,Car,1; 2,2026-01-01,1y,l", 2, "product", "1 products and 2 groups of lines"),
        ("id,customer,product,lines,delivered,duration,match_label\na,A,Car,*,2026-01-01,1y,l", 2, "lines", "'*'"),
        ("id,customer,delivered,duration,match_field\na,A,2026-01-01,1y,Contract", 2, "match_field", "'Contract'"),
        ("id,customer,delivered,duration,match_label,exclude_label\na,A,2026-01-01,1y,l,x", 2, "exclude_label", "'x'"),
        ("id,customer,delivered,accepted,duration,match_label\na,A,2026-01-01,2026-01-01,1y,l", 2, "accepted", "both"),
    ],
)  # fmt: skip
def test_a_table_that_cannot_be_read_says_why(text: str, line: int, column: str, found: str) -> None:
    first = problems(text)[0]
    assert (first.line, first.column, first.found) == (line, column, found)
    assert first.expected


def test_too_many_rows_are_refused() -> None:
    assert problems(SHORT + "a\n" * 20_001)[0].expected == "at most 20000 contracts"


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("product", "Car\u200b"),
        ("exclude_label", "x\u200b | 4"),
        ("match_component", "x\u200b"),
        ("match_field", "x\u200b=1"),
        ("tier", "x\u200b"),
        ("supersedes", "x\u200b"),
        ("delivered", "1769-01-01"),
        ("extensions", "until 2026-06-01 | A | 2026-02-01"),
    ],
)
def test_a_value_that_the_register_refuses_names_its_column(column: str, cell: str) -> None:
    head, row = "id,customer,duration,match_label", "a,A,1y,l"
    if column != "delivered":
        head, row = f"{head},delivered", f"{row},2026-01-01"
    assert {(problem.line, problem.column) for problem in problems(f"{head},{column}\n{row},{cell}")} == {(2, column)}


def test_a_zone_that_is_none_is_told_of_the_table() -> None:
    with pytest.raises(TableError) as refused:
        register_from_table(SHORT + "a,A,2026-01-01,1y,l,,,,", "Mars/X")
    assert [str(problem) for problem in refused.value.problems] == [
        "the table, column zone: found 'Mars/X'; expected an IANA zone such as Asia/Shanghai"
    ]


@given(st.text(max_size=300))
def test_no_text_breaks_the_reading_of_a_table(text: str) -> None:
    for table in (text, SHORT + text, f"{SHORT}a,{text},2026-01-01,1y,acme"):
        with suppress(TableError):
            data = register_from_table(table)
            assert plain(as_yaml(data)) == data


def test_every_column_is_described() -> None:
    assert register_csv.__doc__ is not None
    for column in COLUMNS:
        assert column in register_csv.__doc__
