"""The files of sweeps that the project's own server hands out."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx
import pytest
from starlette.applications import Starlette

from sweeplib.ledger import Ledger, Submission, Sweep, SweepState
from sweeplib.orchestrate.addresses import log_address, results_address
from sweeplib.orchestrate.pages import key_of
from sweeplib.orchestrate.web import routes
from sweeplib.report.lookup import paths_of
from sweeplib.run.model import Attempt, Outcome

if TYPE_CHECKING:
    from pathlib import Path

ID = "01M7YQSM0CH9SS7Q8F8FVA6Y5D"
KEY = "3a621c4ff625e526bc774328249339e5"


class Client:
    """Asks the routes of a project."""

    def __init__(self, project: Path) -> None:
        self._app = Starlette(routes=routes(project))

    def get(self, path: str) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(app=self._app)
            async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
                return await client.get(path)

        return asyncio.run(ask())


@pytest.fixture
def client(tmp_path: Path) -> Client:
    return Client(tmp_path)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    with Ledger.open(tmp_path / ".sweep" / "ledger.db") as ledger:
        spec = '{"metric": {"highest": "loss"}}'
        ledger.add_sweep(
            Sweep(id=ID, job="train", lineage=ID, total=2, created=1.0, tag="train-x", spec=spec)
        )
        keys = [KEY, KEY[::-1]]
        ledger.submit(
            ID,
            [
                Submission(key=key, position=i, label=f"lr={i}", parameters={"lr": str(i)})
                for i, key in enumerate(keys)
            ],
        )
        ledger.record(
            ID,
            [
                Attempt(
                    key=key,
                    number=1,
                    outcome=Outcome.COMPLETED,
                    started=1.0,
                    ended=3.5,
                    exit_code=0,
                    log="x.log",
                    metrics={"loss": i / 2},
                )
                for i, key in enumerate(keys)
            ],
        )
        ledger.finish_sweep(ID, SweepState.COMPLETED)
    log = paths_of(tmp_path, ID).log(KEY, 1)
    log.parent.mkdir(parents=True)
    log.write_bytes(b"<script>\xff")
    return tmp_path


@pytest.mark.usefixtures("project")
def test_the_results_of_a_sweep(client: Client) -> None:
    answer = client.get(results_address("", ID))
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="train-x.csv"'
    assert answer.text == (
        "rank,key,outcome,exit_code,duration,lr,loss,log\n"
        f"1,{KEY[::-1]},completed,0,2.5,1,0.5,x.log\n"
        f"2,{KEY},completed,0,2.5,0,0.0,x.log\n"
    )


@pytest.mark.usefixtures("project")
def test_a_log(client: Client) -> None:
    answer = client.get(log_address("", ID, f"/somewhere/{KEY}.1.log"))
    assert (answer.status_code, answer.content) == (200, b"<script>\xff")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    [
        f"/sweeps/{ID[:-1]}0/results.csv",
        "/sweeps/../results.csv",
        f"/sweeps/{ID}/logs/{KEY}.2.log",
        f"/sweeps/{ID}/logs/{KEY}.1.txt",
        f"/sweeps/{ID}/logs/..%2f..%2f..%2f..%2fetc%2fpasswd",
        f"/sweeps/..%2f{ID}/logs/{KEY}.1.log",
        f"/sweeps/{'.' * 26}/logs/{KEY}.1.log",
    ],
)
@pytest.mark.usefixtures("project")
def test_what_is_not_there(client: Client, path: str) -> None:
    assert client.get(path).status_code == 404


def test_before_anything_has_run(client: Client, tmp_path: Path) -> None:
    assert client.get(results_address("", ID)).status_code == 404
    assert not (tmp_path / ".sweep").exists()


@pytest.mark.parametrize(
    ("tag", "key"),
    [("train-5cv7v09r", "train-5cv7v09r"), ("A.b_C--1-5cv7", "a-b-c-1-5cv7"), ("_x_-1", "x-1")],
)
def test_keys_of_artifacts(tag: str, key: str) -> None:
    assert key_of(tag) == key
