"""prefect.yaml holds only what Prefect reads (it ignores a misspelled key in silence), and everything in it resolves."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError
from ruamel.yaml import YAML

from flows.site import SHIPPED, Site

if TYPE_CHECKING:
    from pydantic import BaseModel

FILE = Path(__file__).resolve().parent.parent.parent / "prefect.yaml"

KNOWN = {
    "": {"name", "pull", "definitions", "deployments"},
    "definitions": {"pool", "single"},
    "deployment": {
        "name", "description", "entrypoint", "parameters", "schedules", "concurrency_limit", "work_pool", "tags",
    },
    "schedule": {"cron", "timezone", "slug"},
    "work_pool": {"name", "work_queue_name"},
    "concurrency_limit": {"limit", "collision_strategy"},
}  # fmt: skip


@pytest.fixture(scope="module")
def deployed() -> Any:
    return YAML(typ="safe").load(FILE.read_text(encoding="utf-8"))


def test_every_key_is_one_that_prefect_knows(deployed: Any) -> None:
    assert set(deployed) <= KNOWN[""]
    assert set(deployed["definitions"]) <= KNOWN["definitions"]
    for deployment in deployed["deployments"]:
        assert set(deployment) <= KNOWN["deployment"]
        assert set(deployment["work_pool"]) <= KNOWN["work_pool"]
        assert set(deployment["concurrency_limit"]) <= KNOWN["concurrency_limit"]
        for schedule in deployment["schedules"]:
            assert set(schedule) <= KNOWN["schedule"]


@pytest.mark.orchestrated
def test_the_keys_known_here_are_those_of_prefects_own_models() -> None:
    from prefect.cli.deploy._models import DeploymentConfig, WorkPoolConfig

    assert set(DeploymentConfig.model_fields) >= KNOWN["deployment"]
    assert set(WorkPoolConfig.model_fields) >= KNOWN["work_pool"]


def test_nothing_is_pulled(deployed: Any) -> None:
    assert deployed["pull"] == []


def test_one_run_at_a_time_and_no_backlog(deployed: Any) -> None:
    for deployment in deployed["deployments"]:
        assert deployment["concurrency_limit"] == {"limit": 1, "collision_strategy": "CANCEL_NEW"}


def test_every_schedule_has_a_slug_of_its_own_and_five_fields(deployed: Any) -> None:
    for deployment in deployed["deployments"]:
        slugs = [schedule["slug"] for schedule in deployment["schedules"]]
        assert len(slugs) == len(set(slugs)) > 0
        assert all(re.fullmatch(r"(\S+ ){4}\S+", schedule["cron"]) for schedule in deployment["schedules"])


def test_there_is_one_deployment_for_each_example_site(deployed: Any) -> None:
    sites = [deployment["parameters"]["run"]["site"] for deployment in deployed["deployments"]]
    assert sorted(sites) == sorted(path.stem for path in SHIPPED.glob("example-*.yaml"))
    for site in sites:
        assert Site.load(site).policies().own.latest.clocks


@pytest.mark.orchestrated
def test_every_entrypoint_is_a_module_path_that_imports_as_a_flow(deployed: Any) -> None:
    from prefect import Flow

    for deployment in deployed["deployments"]:
        module, _, name = deployment["entrypoint"].rpartition(".")
        assert ":" not in deployment["entrypoint"]
        assert not deployment["entrypoint"].endswith(".py")
        assert isinstance(getattr(importlib.import_module(module), name), Flow)


@pytest.mark.orchestrated
def test_the_parameters_fit_the_flows_schema(deployed: Any) -> None:
    from flows.enforce import EnforceRun, enforce

    shape: type[BaseModel] = EnforceRun
    assert set(enforce.parameters.properties) == {"run"}
    described = enforce.parameters.definitions["EnforceRun"]["properties"]
    assert all(field.get("description") for field in described.values())
    for deployment in deployed["deployments"]:
        assert set(deployment["parameters"]) == {"run"}
        shape.model_validate(deployment["parameters"]["run"])
    with pytest.raises(ValidationError):
        shape.model_validate({"site": "x", "token": "y"})


def test_the_pool_comes_from_the_environment(deployed: Any) -> None:
    assert {deployment["work_pool"]["name"] for deployment in deployed["deployments"]} == {"{{ $WARRANTY_POOL }}"}
