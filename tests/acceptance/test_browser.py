"""What a person sees and does in Prefect's user interface: a real browser, server and worker.

Each step leaves a picture in build/screenshots.
"""

from __future__ import annotations

import re
import urllib.request
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.browsers import PICTURES, needs_chromium, opened_browser
from tests.conftest import Project, clean_environment
from tests.integration.prefect_api import ask, get
from tests.integration.test_deployments import await_state, await_true, working

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

    Look = Callable[[str], None]

JOBS = """
jobs:
  shown:
    call: shown.train
    style: kwargs
    metric: {lowest: loss}
    parallel: 2
    sets: [{each: "model=small,large lr=1e-3,1e-2,1e-1", all: seed=7}]
"""
SHOWN = """
import pathlib
import time

def train(model, lr, seed):
    with open("ran", "a") as file:
        file.write(f"{model}-{lr} ")
    print(f"training {model} at {lr}")
    time.sleep(1.5)
    if lr == 0.1 and not pathlib.Path("better").exists():
        raise ValueError("it diverged")
    return {"loss": abs(lr - 0.01), "steps": 10}
"""
PATIENCE = 60_000.0  # milliseconds

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Project, str]]:
    """A deployed project with a server of its own and a worker; and its API."""
    folder = tmp_path_factory.mktemp("shown") / "project"
    folder.mkdir()
    project = Project(folder, clean_environment(folder.parent / "home"))
    project.jobs(JOBS)
    project.write("shown.py", SHOWN)
    try:
        api = project.sweep("up", "--api", check=0).stdout.strip()
        project.env["PREFECT_API_URL"] = api
        project.sweep("deploy", "--pool", "of-tests", "--analytics", check=0)
        with working(project):
            yield project, api
    finally:
        project.env.pop("PREFECT_API_URL", None)
        project.sweep("down", check=0)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with opened_browser() as opened:
        yield opened


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    made = browser.new_page(viewport={"width": 1400, "height": 1400})
    made.set_default_timeout(PATIENCE)
    yield made
    made.close()


@pytest.fixture
def look(page: Page) -> Look:
    def take(name: str) -> None:
        PICTURES.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=PICTURES / f"{name}.png")

    return take


def open_form(page: Page, ui: str, deployment: str) -> None:
    page.goto(f"{ui}/deployments/deployment/{deployment}/run")
    page.wait_for_load_state("networkidle")  # the form fills itself with what it asks the server for


def ran(project: Project) -> Counter[str]:
    return Counter((project.folder / "ran").read_text().split())


@pytest.mark.timeout(280)
def test_from_the_form_to_the_retry(shown: tuple[Project, str], page: Page, look: Look) -> None:
    project, api = shown
    ui = api.removesuffix("/api")
    deployment = get(api, "/deployments/name/shown/default")["id"]

    open_form(page, ui, deployment)
    page.get_by_text("Take these combinations alone, in sweep syntax").wait_for()
    page.locator("textarea").first.fill("model=large")
    look("1-run-form")
    page.get_by_role("button", name="Submit").click()
    page.wait_for_url(re.compile("tab=Runs"))
    link = page.locator('a[href*="/runs/flow-run/"]').first
    link.wait_for()
    flow_run = (link.get_attribute("href") or "").rsplit("/", 1)[-1]
    assert get(api, f"/flow_runs/{flow_run}")["parameters"]["only"] == "model=large"
    assert await_state(project, api, flow_run)["message"] == "2 of 3 completed, 1 failed"
    with project.ledger() as ledger:
        (sweep,) = ledger.sweeps(job="shown")

    page.goto(f"{ui}/runs/flow-run/{flow_run}")
    name = get(api, f"/flow_runs/{flow_run}")["name"]
    for text in (name, "Failed", "3 Task runs", sweep.tag):
        page.get_by_text(text, exact=True).first.wait_for()
    page.get_by_text("training large at 0.1").wait_for()
    page.get_by_text(re.compile("failed in .* s: exit code 1: ValueError: it diverged")).first.wait_for()
    look("2-flow-run")
    page.get_by_text("Task Runs", exact=True).click()
    for label in ("model=large lr=1e-3", "model=large lr=1e-2", "model=large lr=1e-1"):
        page.get_by_text(label, exact=True).first.wait_for()
    look("3-task-runs")
    page.get_by_text("Artifacts", exact=True).click()
    page.get_by_text(f"{sweep.tag}-progress", exact=True).first.wait_for()
    look("4-artifacts")
    page.get_by_text(f"{sweep.tag}-combinations", exact=True).first.click()
    rows = page.locator("tbody tr")
    rows.first.wait_for()
    cells = [[cell.inner_text().strip() for cell in row.locator("td").all()] for row in rows.all()]
    assert [each[2:5] for each in cells] == [
        ["1e-1", "failed", "1"],
        ["1e-2", "completed", "0"],
        ["1e-3", "completed", "0"],
    ]
    look("5-combinations")
    log = rows.first.get_by_role("link", name="log").get_attribute("href")
    assert log is not None
    with urllib.request.urlopen(log, timeout=30) as answer:
        assert b"ValueError: it diverged" in answer.read()
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    assert download.value.suggested_filename == f"{sweep.tag}.csv"

    (project.folder / "better").touch()
    before = ran(project)
    page.goto(f"{ui}/runs/flow-run/{flow_run}")
    page.get_by_role("button", name="Retry").click()
    dialog = page.get_by_role("dialog")
    dialog.wait_for()
    look("6-retry")
    dialog.get_by_role("button", name="Retry").click()
    state = await_state(project, api, flow_run, runs=2)
    assert (state["type"], state["message"]) == ("COMPLETED", "1 of 1 completed, 2 were done before")
    assert ran(project) - before == Counter({"large-0.1": 1})
    page.get_by_text("Completed", exact=True).first.wait_for()
    look("7-retried")


@pytest.mark.timeout(280)
def test_the_live_results(shown: tuple[Project, str], page: Page, look: Look) -> None:
    project, api = shown
    ui = api.removesuffix("/api")

    def drawn() -> str:
        with project.ledger() as ledger:
            (sweep,) = ledger.sweeps(job="shown")
        found = ask(api, "/artifacts/filter", {"artifacts": {"key": {"any_": [f"{sweep.tag}-results"]}}})
        return str(found[0]["id"]) if found and "3 of 3 done" in found[0]["data"] else ""

    artifact = await_true(drawn, "the last drawing", project)
    page.goto(f"{ui}/artifacts/artifact/{artifact}")
    page.get_by_text("Best so far: loss 0").wait_for()
    picture = page.get_by_alt_text("loss over the parameters")
    picture.wait_for()
    assert picture.evaluate("image => image.naturalWidth") > 300
    assert page.locator("tbody tr").count() == 3
    look("8-live-results")


def test_a_wrong_parameter_is_refused_in_the_form(shown: tuple[Project, str], page: Page, look: Look) -> None:
    _, api = shown
    ui = api.removesuffix("/api")
    deployment = get(api, "/deployments/name/shown/default")["id"]
    before = len(ask(api, "/flow_runs/filter", {"flows": {"name": {"any_": ["shown"]}}}))
    open_form(page, ui, deployment)
    page.get_by_role("button", name="int", exact=True).click()
    page.locator('input[type="number"]').first.fill("0")
    page.get_by_role("button", name="Submit").click()
    page.get_by_text("0 is not valid under any of the given schemas").wait_for()
    look("9-refused")
    assert len(ask(api, "/flow_runs/filter", {"flows": {"name": {"any_": ["shown"]}}})) == before
