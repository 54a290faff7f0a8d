"""The page of `sweep report` in a real browser, without a network: 24 combinations, 5,000, and wicked values.

Each page leaves a picture in build/screenshots.
"""

from __future__ import annotations

import csv
import math
import time
from itertools import cycle, islice, product
from typing import TYPE_CHECKING, Any

import pytest

from sweeplib.ledger import Submission, Sweep, SweepState
from sweeplib.run.model import Attempt, Outcome
from tests.acceptance.browsers import PICTURES, needs_chromium, opened_browser
from tests.conftest import Project, clean_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from playwright.sync_api import Browser, Locator, Page

    Open = Callable[..., Page]

JOBS = (
    "jobs: {train: {run: python train.py, style: flags, metric: {highest: accuracy}, sets: [{each: a=1}]}}\n"
)
SWEEP = "01J00000000000000000000001"
BEGAN = 1_700_000_000.0
GRID = {"model": ["svc", "forest"], "lr": ["1e-3", "1e-2", "1e-1"], "batch": ["16", "32", "64", "128"]}
LARGE_GRID = GRID | {
    "lr": ["1e-5", "1e-4", "1e-3", "1e-2", "1e-1"],
    "dropout": ["0", "0.1", "0.2", "0.5"],
    "seed": [str(seed) for seed in range(1, 33)],
}
EVIL = "</script><script>window.broken=1</script><img src=x onerror='window.broken=2'><b>bold</b>&amp;"
PATIENCE = 60_000.0  # milliseconds
BYTES = 8_000_000  # of a page with 5,000 combinations, at most
VIOLATIONS = """
    window.violations = [];
    addEventListener("securitypolicyviolation", event => violations.push(event.violatedDirective));
"""

pytestmark = needs_chromium


def accuracy(values: dict[str, str], noise: int) -> float:
    best = 0.95 - 0.04 * abs(math.log10(float(values["lr"])) + 3) - 0.02 * (values["model"] == "svc")
    return best - 0.1 * float(values.get("dropout", 0)) ** 2 + 0.002 * math.sin(1000 * noise)


def fill(folder: Path, grid: dict[str, list[str]], size: int) -> Project:
    """Make a project whose ledger has a sweep in which batches of 128 with a large lr have no memory."""
    folder.mkdir()
    project = Project(folder, clean_environment(folder.parent / "home"))
    project.jobs(JOBS)
    patch = folder / ".sweep" / "sweeps" / SWEEP / "git.patch"
    patch.parent.mkdir(parents=True)
    patch.write_text("-lr = 1\n+lr = 2\n")
    submissions, attempts, metrics = [], [], []
    cells = islice(cycle(product(*grid.values())), size)
    for place, cell in enumerate(cells):
        values = dict(zip(grid, cell, strict=True))
        values |= {"svc": {"C": "1"}, "forest": {"width": "8"}}[values["model"]] | {"workers": "2"}
        words = [f"{name}={value}" for name, value in values.items()]
        command = f"python train.py {' '.join(f'--{word}' for word in words)}"
        key = f"{place * 0x9E3779B97F4A7C15 % 2**128:032x}"
        submissions.append(
            Submission(
                key=key, position=place, label=" ".join(words[:-1]), parameters=values, command=command
            )
        )
        failed = values["batch"] == "128" and float(values["lr"]) >= 0.01
        attempt: dict[str, Any] = {"outcome": Outcome.COMPLETED, "exit_code": 0}
        if failed:
            message = f"exit code 1: no memory for {place} MB"
            attempt = {"outcome": Outcome.FAILED, "exit_code": 1, "message": message}
        else:
            metrics.append((key, None, {"accuracy": accuracy(values, place), "steps": 100.0}))
        seconds = 2 + place % 7
        attempts.append(Attempt(key=key, number=1, started=BEGAN, ended=BEGAN + seconds, **attempt))
    git = {"commit": "3c" * 20, "branch": "main", "dirty": True}
    record(project, submissions, attempts, metrics, git=git)
    return project


def record(
    project: Project,
    submissions: Sequence[Submission],
    attempts: Sequence[Attempt],
    metrics: Sequence[tuple[str, None, dict[str, float]]],
    **fields: Any,
) -> None:
    with project.ledger() as ledger:
        ledger.add_sweep(
            Sweep(
                id=SWEEP,
                job="train",
                lineage=SWEEP,
                total=len(submissions),
                created=BEGAN,
                tag="train-1",
                **fields,
            )
        )
        ledger.submit(SWEEP, submissions)
        ledger.record(SWEEP, attempts)
        ledger.set_tracked(SWEEP, metrics)
        ledger.finish_sweep(SWEEP, SweepState.FAILED, BEGAN + 60)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of 24 combinations."""
    project = fill(tmp_path_factory.mktemp("small") / "project", GRID, 24)
    assert project.sweep("report", "train", check=0).stdout == "report.html\n"
    return project.folder / "report.html"


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of 5,000 combinations."""
    project = fill(tmp_path_factory.mktemp("large") / "project", LARGE_GRID, 5000)
    project.sweep("report", "train", check=0)
    return project.folder / "report.html"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with opened_browser() as opened:
        yield opened


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    """Open a page's file; in the end nothing has gone wrong in it, and it has asked for nothing."""
    contexts = []
    wrong: list[str] = []

    def open_page(path: Path, **options: Any) -> Page:
        context = browser.new_context(viewport={"width": 1280, "height": 900}, offline=True, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.add_init_script(VIOLATIONS)
        page.on("console", lambda told: wrong.append(told.text) if told.type == "error" else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("dialog", lambda dialog: wrong.append(dialog.message))
        page.on(
            "request",
            lambda asked: (
                wrong.append(asked.url)
                if not asked.url.startswith((path.as_uri(), "data:", "blob:"))
                else None
            ),
        )
        page.goto(path.as_uri())
        page.wait_for_function("document.documentElement.dataset.ready === 'yes'")
        return page

    yield open_page
    for context in contexts:
        wrong += [text for page in context.pages for text in page.evaluate("violations")]
        context.close()
    assert wrong == []


def column(page: Page, title: str) -> list[str]:
    """Return the texts of a column of the table as it is shown."""
    titles = page.locator("#table thead button").all_inner_texts()
    at = titles.index(title) + 1
    return page.locator(f"#table tbody tr:not(.more) td:nth-child({at})").all_inner_texts()


def header(page: Page, title: str) -> Locator:
    return page.locator("#table thead").get_by_role("button", name=title, exact=True)


def draw_all(page: Page) -> None:
    """Scroll to each plot, and wait until it is drawn."""
    for plot in page.locator(".plot").all():
        plot.scroll_into_view_if_needed()
        plot.locator(".main-svg").first.wait_for()


def picture(page: Page, name: str) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"report-{name}.png", full_page=True)


def test_the_table_is_sorted_searched_and_opened(small: Path, open_page: Open) -> None:
    page = open_page(small)
    assert page.locator("#shown").inner_text() == "1 to 24 of 24"
    assert column(page, "rank") == [*map(str, range(1, 21)), "", "", "", ""]
    assert column(page, "outcome").count("failed") == 4

    header(page, "accuracy").click()
    worst_first = [float(text) for text in column(page, "accuracy") if text]
    assert worst_first == sorted(worst_first)
    assert column(page, "accuracy")[-4:] == [""] * 4
    assert page.locator("#table th[aria-sort=ascending]").inner_text() == "accuracy"
    header(page, "accuracy").click()
    assert [float(text) for text in column(page, "accuracy") if text] == worst_first[::-1]
    assert column(page, "accuracy")[-4:] == [""] * 4
    header(page, "batch").click()
    assert column(page, "batch") == [batch for batch in GRID["batch"] for _ in range(6)]

    page.get_by_label("Search").fill("MODEL=SVC lr=1e-3")
    assert column(page, "model") == ["svc"] * 4
    assert page.locator("#shown").inner_text() == "1 to 4 of 4, 24 in all"
    first = page.locator("#table tbody tr").first
    first.get_by_role("button").click()
    details = page.locator("#table tr.more")
    assert (
        details.locator("pre").inner_text()
        == "python train.py --model=svc --lr=1e-3 --batch=16 --C=1 --workers=2"
    )
    assert "workers=2" in details.inner_text()
    assert first.get_by_role("button").get_attribute("aria-expanded") == "true"
    first.get_by_role("button").press("Enter")
    assert details.count() == 0

    page.get_by_label("Search").fill("nothing has this")
    assert page.locator("#shown").inner_text() == "None, 24 in all"
    page.get_by_label("Search").fill("")
    page.locator("#outcome").select_option("failed")
    assert column(page, "outcome") == ["failed"] * 4
    page.get_by_role("button", name="Show it").click()
    assert column(page, "rank") == ["1"]
    assert column(page, "model") == ["forest"]

    page.get_by_label("Search").fill("batch=128")
    page.get_by_text("Show them").click()
    page.locator("#all-commands pre").get_by_text("python").wait_for()
    lines = page.locator("#all-commands pre").inner_text().splitlines()
    assert len(lines) == 6
    assert all(line.startswith("python train.py --model=") and "--batch=128" in line for line in lines)
    page.get_by_text("What was not committed").click()
    assert page.locator("#code pre").inner_text() == "-lr = 1\n+lr = 2\n"
    assert "3c3c3c" in page.locator("#code").inner_text()


def test_every_plot_is_drawn(small: Path, open_page: Open) -> None:
    page = open_page(small)
    draw_all(page)
    kinds = page.evaluate("plots.map(({element}) => [element.id, element.data.map(trace => trace.type)])")
    assert kinds == [
        ["parallel", ["parcoords"]],
        ["", ["box", "box", "scatter"]],
        ["", ["scatter", "scatter", "scatter"]],
        ["", ["scatter", "scatter", "scatter"]],
        ["", ["scatter", "scatter"]],
        ["", ["scatter", "scatter"]],
        ["heat", ["heatmap"]],
        ["bars", ["bar"]],
        ["histogram", ["bar", "bar"]],
    ]
    axes = page.evaluate("plots.slice(1, 4).map(({element}) => element.layout.xaxis.type ?? null)")
    assert axes[1:] == ["log", "linear"]
    assert page.evaluate("find('heat').data[0].z.flat().filter(each => each !== null).length") > 4
    assert page.evaluate("[find('across'), find('down')].map(each => each.selectedOptions[0].text)") == [
        "model",
        "lr",
    ]
    assert page.locator("#bars .ytick text").last.text_content() == "lr"
    page.locator("#bars").hover()
    with page.expect_download() as downloading:
        page.locator("#bars [data-title='Download plot as a PNG']").click()
    assert downloading.value.path().read_bytes().startswith(b"\x89PNG")
    picture(page, "24-light")

    titles = page.locator("#parallel .axis-title")
    titles.first.drag_to(titles.nth(2), target_position={"x": 60, "y": 5}, force=True)
    order = "find('parallel').data[0].dimensions.map(each => each.label)"
    page.wait_for_function(f"{order}.join(' ') === 'lr batch model width C accuracy'")
    page.evaluate("Plotly.restyle(find('parallel'), {'dimensions[0].constraintrange': [[[-2.1, -1.9]]]})")
    page.locator("#narrowed").get_by_text("ranges chosen in the parallel coordinates").wait_for()
    assert set(column(page, "lr")) == {"1e-2"}

    colour = "find('bars').layout.font.color"
    assert page.evaluate(colour) == "#1d2330"
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"{colour} === '#e4e8ef'")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 23, 29)"
    picture(page, "24-dark")
    widths = "plots.map(({element}) => element.querySelector('.main-svg').clientWidth)"
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate(colour) == "#1d2330"
    assert max(page.evaluate(widths)) < 690  # pixels, which A4 has upright
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate(colour) == "#e4e8ef"
    assert max(page.evaluate(widths)) == 1248
    assert set(column(page, "lr")) == {"1e-2"}
    assert page.evaluate("find('parallel').data[0].dimensions[0].constraintrange")
    page.set_viewport_size({"width": 390, "height": 800})
    draw_all(page)
    assert page.evaluate("document.documentElement.scrollWidth") == 390  # nothing sticks out
    picture(page, "24-narrow")


def test_five_thousand(large: Path, open_page: Open, tmp_path: Path) -> None:
    assert large.stat().st_size < BYTES
    began = time.monotonic()
    page = open_page(large)
    loaded = time.monotonic() - began
    assert page.locator("#shown").inner_text() == "1 to 25 of 5,000"
    page.get_by_role("button", name="Next").click()
    assert column(page, "rank") == [*map(str, range(26, 51))]
    began = time.monotonic()
    page.get_by_label("Search").fill("model=svc seed=7 1e-2")
    found = page.locator("#shown").inner_text()
    header(page, "duration").click()
    searched = time.monotonic() - began
    assert found.endswith(", 5,000 in all")
    assert set(column(page, "model")) == {"svc"}

    with page.expect_download() as downloading:
        page.get_by_role("button", name="Download as CSV").click()
    downloading.value.save_as(tmp_path / "found.csv")
    with open(tmp_path / "found.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert found == f"1 to 16 of {len(rows)}, 5,000 in all"
    assert {row["seed"] for row in rows} >= {"7"}
    assert list(rows[0])[:6] == ["rank", "key", "outcome", "exit_code", "duration", "model"]

    page.get_by_role("button", name="Show all 392 in the table").click()
    assert page.locator("#shown").inner_text() == "1 to 25 of 392, 5,000 in all"
    assert page.locator("#narrowed span").inner_text() == "Only one group of failures."
    shared = page.locator("#failures .shared").inner_text()
    assert "392 of 392 failures have batch=128" in shared
    assert "392 of 392 failures have lr>=1e-2" in shared
    page.get_by_role("button", name="Show all", exact=True).click()

    began = time.monotonic()
    draw_all(page)
    drew = time.monotonic() - began
    page.evaluate("Plotly.restyle(find('parallel'), {'dimensions[0].constraintrange': [[[-0.1, 0.1]]]})")
    page.locator("#narrowed").get_by_text("ranges chosen in the parallel coordinates").wait_for()
    assert set(column(page, "model")) == {page.evaluate("varied[0].texts[0]")}
    page.get_by_role("button", name="Show all", exact=True).click()
    assert page.locator("#shown").inner_text() == "1 to 25 of 5,000"
    assert not page.evaluate("find('parallel').data[0].dimensions.some(each => each.constraintrange)")
    page.locator("#across").select_option(label="C")
    page.locator("#down").select_option(label="width")
    nothing = "No combination with the metric has both of these parameters."
    assert page.locator("#heat-note").inner_text() == nothing
    page.locator("#down").select_option(label="lr")
    page.locator("#across").select_option(label="seed")
    assert page.evaluate("find('heat').data[0].z[0].length") == 16
    assert "Neighbouring values of seed share a place." in page.locator("#heat-note").inner_text()
    picture(page, "5000")
    print(f"loaded {loaded:.2f} s, searched and sorted {searched:.2f} s, drawn {drew:.2f} s")  # noqa: T201


def test_what_is_infinite_is_left_out_and_all_else_drawn_without_scrolling(
    tmp_path: Path, open_page: Open
) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    project = Project(folder, clean_environment(tmp_path / "home"))
    project.jobs("jobs: {train: {run: python train.py, metric: {lowest: loss}, sets: [{each: a=1}]}}\n")
    submissions, attempts, metrics = [], [], []
    odd = {0: math.inf, 5: -math.inf, 7: math.nan, 9: 1.7976931348623157e308}
    for place, (lr, batch) in enumerate(product(("1e-3", "1e-2", "1e-1", "1"), ("16", "32", "64", "128"))):
        key = f"{place:032x}"
        values = {"lr": lr, "batch": batch}
        submissions.append(
            Submission(key=key, position=place, label=f"lr={lr}", parameters=values, command="x")
        )
        ended = BEGAN + 0.02 + place % 3 / 20_000
        attempts.append(
            Attempt(key=key, number=1, started=BEGAN, ended=ended, outcome=Outcome.COMPLETED, exit_code=0)
        )
        metrics.append((key, None, {"loss": odd.get(place, 1 + place / 10)}))
    record(project, submissions, attempts, metrics)
    project.sweep("report", "train", check=0)

    page = open_page(folder / "report.html")
    losses = column(page, "loss")
    assert (losses[0], losses[-3:]) == ("-inf", ["1.798e+308", "inf", "nan"])
    page.wait_for_function("plots.length === 6 && plots.every(({done}) => done)")
    assert page.evaluate("scrollY") == 0
    told = "Not drawn are 4 combinations whose loss is -inf, 1.798e+308, inf, nan."
    assert page.locator("#left-out").inner_text() == told
    assert page.evaluate("ranked.length") == 12
    assert page.evaluate("find('parallel').data[0].dimensions[2].values") == sorted(
        1 + place / 10 for place in range(16) if place not in odd
    )
    stars = page.evaluate("plots.slice(1, 3).map(({element}) => element.data.at(-1).y)")
    assert stars == [[1.1], [1.1]]
    cells = page.evaluate("find('heat').data[0].text.flat()")
    assert sorted(cells) == sorted("" if place in odd else f"{1 + place / 10:.3g}" for place in range(16))
    labels = page.locator("#histogram .xtick text").all_text_contents()
    assert len(labels) > 2
    assert len(set(labels)) == len(labels)
    assert all(text.isdecimal() for text in page.locator("#histogram .ytick text").all_text_contents())
    picture(page, "infinite")

    unseen = open_page(folder / "report.html")
    unseen.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert unseen.evaluate("plots.every(({element}) => element.querySelector('.main-svg'))")


def test_wicked_values_are_text(tmp_path: Path, open_page: Open) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    project = Project(folder, clean_environment(tmp_path / "home"))
    project.jobs(JOBS)
    submissions, attempts, metrics = [], [], []
    for place in range(16):
        values = {
            EVIL: EVIL + str(place % 2),
            "größe": "x" * 10_000 if place % 3 else "日本 \u202e\x1b[31m",
            "n": "1",
        }
        key = f"{place:032x}"
        submissions.append(
            Submission(key=key, position=place, label=EVIL, parameters=values, command=f"echo {EVIL}\n")
        )
        ended = {"outcome": Outcome.FAILED, "message": EVIL} if place > 13 else {"outcome": Outcome.COMPLETED}
        attempts.append(Attempt(key=key, number=1, started=BEGAN, ended=BEGAN + 1, **ended))  # type: ignore[arg-type]
        if place < 14:
            metrics.append((key, None, {EVIL: float(place % 2), "other": math.nan}))
    record(project, submissions, attempts, metrics)
    project.sweep("report", "train", "-o", "wicked.html", "-m", EVIL, check=0)

    page = open_page(folder / "wicked.html")
    draw_all(page)
    page.locator("#table tbody button").first.click()
    for plot in page.locator("#panels .plot:first-child, #heat").all():
        plot.hover()
    assert page.evaluate("window.broken") is None
    assert page.locator("img, b").count() == 0
    assert EVIL in page.locator("#table tr.more").inner_text()
    assert "\\u{202e}\\u{1b}[31m" in page.locator("#table").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") == 1280
    picture(page, "wicked")
