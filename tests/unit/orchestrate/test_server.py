"""Services of a project: started once, found again, ended, and never somebody else's."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from sweeplib.engine import Lock
from sweeplib.errors import ServerError
from sweeplib.orchestrate.server import Service, is_alive

if TYPE_CHECKING:
    from tests.unit.orchestrate.conftest import Home


def test_start_and_stop(home: Home) -> None:
    service = home.service()
    assert service.address() is None
    address = service.start(home.notes.append)
    assert home.notes == ["starting a local tiny server for this project"]
    assert address == f"http://127.0.0.1:{home.state()['port']}" == service.address()
    assert home.ask(address) == f"{home.pid()} hello"
    assert os.getsid(home.pid()) == home.pid(), "a closed terminal must not end it"
    pid = home.pid()
    assert service.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert service.address() is None
    assert not service.stop()
    assert service.start() == address, "an open page, and a shell's PREFECT_API_URL, stay valid"


def test_a_second_start_finds_it(home: Home) -> None:
    address = home.service().start()
    pid = home.pid()
    assert home.service().start(home.notes.append) == address
    assert home.service().address() == address
    assert (home.pid(), home.notes) == (pid, [])


def test_starts_at_once_start_one(home: Home) -> None:
    addresses: list[str] = []
    threads = [
        threading.Thread(target=lambda: addresses.append(home.service().start(home.notes.append)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert addresses == [addresses[0]] * 4
    assert home.notes == ["starting a local tiny server for this project"]


def test_it_comes_back_on_its_port(home: Home) -> None:
    address = home.service().start()
    pid = home.pid()
    home.kill()
    assert home.service().start() == address
    assert home.pid() != pid


def test_a_port_that_somebody_else_has_now(home: Home) -> None:
    address = home.service().start()
    home.kill()
    with socket.create_server(("127.0.0.1", int(address.rpartition(":")[2]))):
        other = home.service().start()
        assert other != address
        assert home.ask(other) == f"{home.pid()} hello"


def test_a_port_that_somebody_else_takes_while_it_starts(home: Home) -> None:
    taken: list[int] = []
    with ExitStack() as others:

        def command(port: int) -> tuple[list[str], dict[str, str]]:
            if len(taken) < 2:
                taken.append(port)
                others.enter_context(socket.create_server(("127.0.0.1", port)))
            return [sys.executable, "-S", "-c", home.code, str(port)], {"WORD": "hello"}

        service = Service("tiny", home.folder, command, "/health")
        address = service.start(home.notes.append)
        assert home.ask(address) == f"{home.pid()} hello"
    assert int(address.rpartition(":")[2]) not in taken
    assert home.notes == ["starting a local tiny server for this project"]


def test_every_port_is_taken_while_it_starts(home: Home) -> None:
    with ExitStack() as others:

        def command(port: int) -> tuple[list[str], dict[str, str]]:
            others.enter_context(socket.create_server(("127.0.0.1", port)))
            return [sys.executable, "-S", "-c", home.code, str(port)], {"WORD": "hello"}

        service = Service("tiny", home.folder, command, "/health")
        with pytest.raises(ServerError) as error:
            service.start()
    assert str(error.value).startswith(f"the local tiny server did not start; its log is {service.log}:\n")
    assert str(error.value).endswith("OSError: [Errno 98] Address already in use")
    assert service.log.read_text().count("Address already in use") == 3


def test_a_process_id_that_belongs_to_another_is_not_ours_to_end(home: Home) -> None:
    home.folder.mkdir()
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as other:
        state = {"pid": other.pid, "mark": "1", "port": 4200}
        (home.folder / "tiny.json").write_text(json.dumps(state))
        service = home.service()
        assert service.address() is None
        assert not service.stop()
        assert other.poll() is None
        service.start()
        assert other.poll() is None
        other.kill()


@pytest.mark.parametrize("torn", ["", "{", "[]", "null", '{"pid": 1}'])
def test_a_torn_record_is_none(home: Home, torn: str) -> None:
    home.folder.mkdir()
    (home.folder / "tiny.json").write_text(torn)
    assert home.service().address() is None
    assert is_alive(f"{home.service().start()}/health")


def test_a_crash_at_the_start_names_the_log(home: Home) -> None:
    home.folder.mkdir()
    (home.folder / "crash").touch()
    service = home.service()
    with pytest.raises(ServerError) as error:
        service.start()
    assert str(error.value) == (
        f"the local tiny server did not start; its log is {service.log}:\nthe disk is on fire"
    )
    assert service.address() is None
    (home.folder / "crash").unlink()
    service.start()


def test_a_server_that_does_not_answer(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sweeplib.orchestrate.server._START", 0.2)
    home.code = "print('thinking', flush=True); import time; time.sleep(60)"
    service = home.service()
    with pytest.raises(ServerError) as error:
        service.start()
    assert str(error.value).startswith(f"the local tiny server did not start; its log is {service.log}:\n")


def test_another_that_starts_it_for_too_long(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sweeplib.orchestrate.server._START", 0.1)
    home.folder.mkdir()
    service = home.service()
    with Lock(home.folder / "tiny.lock") as held:
        assert held.acquire()
        with pytest.raises(ServerError) as error:
            service.start()
    assert str(error.value) == (
        f"another process has been starting the tiny server for too long; see {service.log}"
    )


def test_a_stubborn_server_is_killed(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sweeplib.orchestrate.server._STOP", 0.3)
    home.code = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + home.code
    home.service().start()
    pid = home.pid()
    assert home.service().stop()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_its_children_are_ended_with_it(home: Home) -> None:
    home.code = "import subprocess; print(subprocess.Popen(['sleep', '60']).pid, flush=True)\n" + home.code
    service = home.service()
    service.start()
    child = int(service.log.read_text())
    service.stop()
    home.await_true(lambda: not alive(child), "the server's child to be gone")


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()[0] != "Z"


def test_a_child_of_ours_that_has_ended_is_not_alive(home: Home) -> None:
    home.service().start()
    os.kill(home.pid(), signal.SIGTERM)
    home.await_true(lambda: home.service().address() is None, "the service to be gone")


def test_is_alive(home: Home) -> None:
    address = home.service().start()
    assert is_alive(f"{address}/health")
    assert not is_alive(f"{address}/else")
    assert not is_alive("no address")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        assert not is_alive(f"http://127.0.0.1:{free.getsockname()[1]}/health")
