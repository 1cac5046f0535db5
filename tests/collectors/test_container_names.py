"""Names of containers come from files of their runtime, and nothing else of those files does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from collectors.container_names import ContainerNames, Named
from tests.collectors.trees import written

ID = "8d1c3a" + "0" * 58


@pytest.fixture
def names(tmp_path: Path) -> ContainerNames:
    return ContainerNames(tmp_path / "logs", tmp_path / "docker")


def test_kubernetes_tells_pod_and_namespace_by_the_name_of_the_log(
    names: ContainerNames, tmp_path: Path
) -> None:
    written(tmp_path / f"logs/payslips-7d9f_payroll_web-{ID}.log", "")
    assert names.of(ID) == Named("web", "payroll/payslips-7d9f")


def test_docker_tells_the_name_beside_what_must_stay_here(names: ContainerNames, tmp_path: Path) -> None:
    config = {"Name": "/payslips", "Args": ["--password", "s3cret"], "Config": {"Env": ["TOKEN=s3cret"]}}
    written(tmp_path / f"docker/{ID}/config.v2.json", json.dumps(config))
    assert names.of(ID) == Named("payslips")


@pytest.mark.parametrize("text", [None, "", "[]", "{", '{"Name": 3}', '{"Name": "/"}'])
def test_without_a_file_that_can_be_read_there_is_no_name(
    names: ContainerNames, tmp_path: Path, text: str | None
) -> None:
    if text is not None:
        written(tmp_path / f"docker/{ID}/config.v2.json", text)
    assert names.of(ID) == Named()
