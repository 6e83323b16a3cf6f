"""Site files: what they may hold, and how every mistake is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flows.exit_codes import Exit
from flows.site import SHIPPED, Site
from policies.issue import State
from policies.problem import InputError
from tests.flows.workshop import TOKEN

if TYPE_CHECKING:
    from tests.flows.conftest import Command
    from tests.flows.workshop import Workshop

SECRET = "glpat-abcdefghij0123456789"


def problems(workshop: Workshop) -> str:
    with pytest.raises(InputError) as refused:
        Site.load(workshop.file)
    return str(refused.value)


@pytest.mark.parametrize("name", sorted(path.stem for path in SHIPPED.glob("*.yaml")))
def test_every_shipped_site_is_read_and_its_words_are_the_packs(name: str) -> None:
    site = Site.load(name)
    assert site.name == name
    pack = site.policies().own.latest
    for tracker in site.trackers:
        assert set(tracker.severities.values()) <= set(pack.severities)
        assert set(tracker.categories.values()) <= set(pack.categories)


def test_a_site_gives_vocabulary_roster_and_limits(workshop: Workshop) -> None:
    workshop.edit("trackers:\n", "limits: {changes_per_run: 7}\ntrackers:\n")
    site = Site.load(workshop.file)
    north = site.tracker("north")
    assert north.vocabulary().states["Closed"] is State.CLOSED
    assert north.roster("warranty", site.zone).own == {"warranty"}
    assert north.roster("warranty", site.zone).tiers["L2"] == ("otto",)
    assert site.plan_limits().changes_per_run == 7
    assert north.report_at == "CAR"
    assert site.ledger_url == "sqlite:///.warranty/workshop.db"
    assert site.report_label == "warranty::report"


def test_all_mistakes_are_told_at_once_with_their_lines(workshop: Workshop) -> None:
    workshop.edit("pack: standard-warranty", "pakc: standard-warranty")
    workshop.edit("zone: Asia/Shanghai", "zone: Asia/Shangai")
    workshop.edit("Closed: closed", "Closed: closd")
    workshop.edit("kind: memory\n    url: http://127.0.0.1/north", "kind: memry\n    url: http://127.0.0.1/north")
    told = problems(workshop)
    for line, words in (
        (2, "did you mean 'pack'"),
        (3, "Asia/Shanghai"),
        (6, "'memory'"),
        (10, "did you mean 'closed'"),
    ):
        assert any(f"workshop.yaml:{line}" in each and words in each for each in told.splitlines()), (line, told)


def test_a_literal_token_is_refused_and_not_repeated(workshop: Workshop) -> None:
    workshop.edit(
        "url: http://127.0.0.1/north\n    token: {env: WORKSHOP_TOKEN}", f"url: http://x/\n    token: {SECRET}"
    )
    told = problems(workshop)
    assert "expected where it is found, never the secret itself" in told
    assert "workshop.yaml:8" in told
    assert SECRET not in told


@pytest.mark.parametrize(
    "token", [f"{{env: {SECRET}}}", f"{{block: {SECRET}}}", f"{{value: {SECRET}}}", f"[{SECRET}]", "{env: A, block: B}"]
)
def test_a_token_in_no_other_shape_slips_in_or_is_repeated(workshop: Workshop, token: str) -> None:
    workshop.edit(
        "url: http://127.0.0.1/north\n    token: {env: WORKSHOP_TOKEN}", f"url: http://x/\n    token: {token}"
    )
    assert SECRET not in problems(workshop)


@pytest.mark.parametrize(
    ("address", "wanted"),
    [("acme.example", "starts with https://"), ("https://bot:hunter22@acme.example", "without a user or password")],
)
def test_an_address_out_of_the_environment_is_checked_too_and_not_repeated(
    workshop: Workshop, warranty: Command, monkeypatch: pytest.MonkeyPatch, address: str, wanted: str
) -> None:
    workshop.edit("url: http://127.0.0.1/north", "url: {env: NORTH}")
    monkeypatch.setenv("NORTH", address)
    said = warranty("plan")
    assert said.code == Exit.BAD_INPUT
    assert "workshop.yaml:7 at trackers.north.url: found no address in environment variable NORTH" in said.err
    assert wanted in said.err
    assert address not in said.err


def test_an_address_with_a_password_is_refused_and_not_repeated(workshop: Workshop) -> None:
    workshop.edit("http://127.0.0.1/north", f"http://lena:{SECRET}@127.0.0.1/north")
    told = problems(workshop)
    assert "a url without a user or password" in told
    assert SECRET not in told


def test_a_report_project_outside_the_projects_is_refused(workshop: Workshop) -> None:
    workshop.edit("projects: [VAN]", "projects: [VAN]\n    report_project: CAR")
    assert "report_project" in problems(workshop)


def test_a_tracker_named_twice_is_refused(workshop: Workshop) -> None:
    workshop.edit("name: south", "name: north")
    assert "tracker named twice: north" in problems(workshop)


def test_an_unknown_site_names_the_nearest_shipped_one() -> None:
    with pytest.raises(InputError, match="did you mean 'example-jira'"):
        Site.load("exampel-jira")


def test_secrets_are_looked_up_late(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORKSHOP_TOKEN")
    site = Site.load(workshop.file)
    with pytest.raises(InputError) as refused:
        site.connection(site.tracker("north"))
    assert "environment variable WORKSHOP_TOKEN is not set" in str(refused.value)
    assert "workshop.yaml:8" in str(refused.value)
    monkeypatch.setenv("WORKSHOP_TOKEN", TOKEN)
    connection = site.connection(site.tracker("north"))
    assert connection.token.get_secret_value() == TOKEN
    assert TOKEN not in repr(connection)


def test_an_address_may_come_from_the_environment(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    workshop.edit("url: http://127.0.0.1/north", "url: {env: NORTH_URL, default: 'http://127.0.0.1:1', suffix: /north}")
    site = Site.load(workshop.file)
    assert site.connection(site.tracker("north")).url == "http://127.0.0.1:1/north"
    monkeypatch.setenv("NORTH_URL", "http://127.0.0.1:9/")
    assert site.connection(site.tracker("north")).url == "http://127.0.0.1:9/north"


def test_a_pack_beside_the_site_file_is_found(workshop: Workshop) -> None:
    (workshop.folder / "own.yaml").write_text(
        "id: own\nversion: 3\nclocks: {answer: {stop: first_response, goals: [{within: 2h}]}}\n", encoding="utf-8"
    )
    workshop.edit("pack: standard-warranty", "pack: own.yaml")
    assert Site.load(workshop.file).policies().own.latest.name == "own@3"
