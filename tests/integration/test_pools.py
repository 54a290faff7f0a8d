"""What stands in deployments/ and prefect.yaml, taken by a real server with Prefect's own commands."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import shutil
import subprocess
import sys
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from prefect.utilities.schema_tools import validate
from prefect.utilities.templating import find_placeholders

from tests.integration.prefect_api import ask, get
from tests.integration.test_deployments import prefect

if TYPE_CHECKING:
    from tests.conftest import Project

ROOT = Path(__file__).parents[2]
DEPLOYMENTS = ROOT / "deployments"
WORKERS = {"process": "prefect", "docker": "prefect-docker", "kubernetes": "prefect-kubernetes"}


def stock(kind: str) -> dict[str, Any]:
    """Return Prefect's own job template of a type of worker."""
    data = files("prefect.server.api") / "collections_data" / "views" / "aggregate-worker-metadata.json"
    found: dict[str, Any] = json.loads(data.read_text())[WORKERS[kind]][kind][
        "default_base_job_configuration"
    ]
    return found


def template(kind: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DEPLOYMENTS / f"{kind}.json").read_text())
    return found


@pytest.mark.parametrize("kind", WORKERS)
def test_a_template_is_one_of_its_worker(kind: str) -> None:
    ours, theirs = template(kind), stock(kind)
    configuration, variables = ours["job_configuration"], ours["variables"]["properties"]
    assert configuration.keys() == theirs["job_configuration"].keys()
    assert theirs["variables"]["properties"].keys() <= variables.keys()
    for name, schema in theirs["variables"]["properties"].items():
        assert {**variables[name], "default": None} == {**schema, "default": None}, name
    used = {placeholder.name for placeholder in find_placeholders(configuration)}
    assert used == variables.keys(), "every variable is used, and every one that is used is there"
    defaults = {name: schema["default"] for name, schema in variables.items() if "default" in schema}
    assert validate(defaults, ours["variables"], raise_on_error=False) == []


def test_the_kubernetes_job_keeps_its_state() -> None:
    spec = template("kubernetes")["job_configuration"]["job_manifest"]["spec"]["template"]["spec"]
    (volume,), (container,) = spec["volumes"], spec["containers"]
    (mount,) = container["volumeMounts"]
    assert mount == {"name": volume["name"], "mountPath": "/project/.sweep"}
    claim = yaml.safe_load((DEPLOYMENTS / "kubernetes-state.yaml").read_text())
    state = template("kubernetes")["variables"]["properties"]["state_claim"]["default"]
    assert (claim["kind"], claim["metadata"]["name"]) == ("PersistentVolumeClaim", state)


@pytest.mark.parametrize("kind", WORKERS)
def test_a_pool_is_made_as_the_comment_says(project: Project, prefect_api: str, kind: str) -> None:
    (command,) = [line for line in template(kind)["$comment"] if line.startswith("prefect work-pool create")]
    words = command.split()
    name, file = f"of-{kind}-tests", words[-1]
    words[3] = name
    shutil.copytree(DEPLOYMENTS, project.folder / "deployments")
    assert Path(file).parts[0] == "deployments"
    prefect(project, *words[1:])
    pool = get(prefect_api, f"/work_pools/{name}")
    assert pool["type"] == kind
    assert pool["base_job_template"]["variables"] == template(kind)["variables"]
    prefect(project, "work-pool", "delete", name)


def test_the_image_has_what_a_flow_needs() -> None:
    lines = (DEPLOYMENTS / "Dockerfile").read_text().splitlines()
    copied = {word for line in lines if line.startswith("COPY") for word in line.split()[1:-1]}
    assert all((ROOT / name).exists() for name in copied), copied
    assert {"sweeps.yaml", "flows", "examples", "sweeplib", "pyproject.toml", "requirements.lock"} <= copied
    volumes = template("docker")["variables"]["properties"]["volumes"]["default"]
    assert [volume.partition(":")[2] for volume in volumes] == ["/project/.sweep"]
    assert "VOLUME /project/.sweep" in lines
    assert "WORKDIR /project" in lines
    python = re.search(r"FROM python:(3\.[0-9]+)", "\n".join(lines))
    assert python is not None
    assert python[1] in ("3.11", "3.12", "3.13")


def on_a_terminal(project: Project, command: str, *arguments: str) -> str:
    """Return what a command prints to a terminal, where it may ask questions that nobody answers."""
    ours, theirs = pty.openpty()
    try:
        process = subprocess.Popen(
            [str(Path(sys.executable).with_name(command)), *arguments],
            cwd=project.folder,
            env={**project.env, "TERM": "xterm"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
    finally:
        os.close(theirs)
    printed = b""
    try:
        with suppress(OSError):  # which says that the terminal's other side is closed
            while select.select([ours], [], [], 60)[0] and (data := os.read(ours, 4096)):
                printed += data
        assert process.wait(5) == 0, printed.decode()
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    return printed.decode()


def test_prefect_deploys_all_of_prefect_yaml(project: Project, prefect_api: str) -> None:
    for name in ("flows", "examples"):
        shutil.copytree(ROOT / name, project.folder / name)
    for name in ("sweeps.yaml", "prefect.yaml"):
        shutil.copy(ROOT / name, project.folder / name)
    assert "[y/n]" not in on_a_terminal(project, "prefect", "deploy", "--all")
    found = {
        name: get(prefect_api, f"/deployments/name/{name}")
        for name in ("train/default", "train/nightly", "analytics/default")
    }
    (schedule,) = found["train/nightly"]["schedules"]
    assert schedule["schedule"] == {"cron": "0 2 * * *", "timezone": "Europe/Berlin", "day_or": True}
    assert [found[name]["schedules"] for name in ("train/default", "analytics/default")] == [[], []]
    assert {each["work_pool_name"] for each in found.values()} == {"sweeps"}
    steps = [step for each in found.values() for step in each["pull_steps"]]
    folder = {"directory": str(project.folder)}
    assert steps == [{"prefect.deployments.steps.set_working_directory": folder}] * 3
    owner = f"prefect.deployment.{found['analytics/default']['id']}"
    automations = ask(prefect_api, "/automations/filter", {})
    names = {
        each["name"] for each in automations if owner.endswith(each["actions"][0].get("deployment_id") or "-")
    }
    assert names == {"sweeps: draw results as they come", "sweeps: draw results at the end"}
    for name in found:
        prefect(project, "deployment", "delete", name)
