"""The `sweep` command: its subcommands, and how errors become messages and exit codes.

Exit codes: 0 all completed, 1 something failed, 2 the user's input is wrong, 130 interrupted.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
from importlib import import_module
from pathlib import Path

import click

from sweeplib.cli.ending import ends_with
from sweeplib.errors import SweepError, nearest
from sweeplib.garbage import search_less_often

__all__ = ["cli", "entry", "main"]

INTERRUPTED = 130

_CLIENT = ("httpx", "httpcore", "prefect")  # of which no command that starts quickly may import the errors

_COMMANDS = {
    "run": "Run a job's combinations, those that are not done yet.",
    "show": "Show a job as it is understood, or all jobs.",
    "explain": "Tell what a run would do with each combination, and why.",
    "plan": "Tell what a change of the job file adds, removes and keeps.",
    "status": "Tell how the sweeps of a job stand.",
    "logs": "Print or follow the output of one combination.",
    "results": "Rank the combinations of a job by a metric.",
    "report": "Make a page of a job's results: tables, plots, failures, commands.",
    "compare": "Show where combinations differ.",
    "retry": "Run what a sweep left undone.",
    "cancel": "End running sweeps.",
    "launch": "Run a file of shell commands, one a line.",
    "expand": "Write the commands of a grid specification.",
    "deploy": "Make the jobs deployments of Prefect.",
    "serve": "Run the jobs' deployments from this process.",
    "up": "Start this project's Prefect server and MLflow's UI.",
    "down": "Stop this project's servers.",
    "completion": "Print the shell's completion script.",
}


class _LazyGroup(click.Group):
    """Imports a subcommand's module when it is used; `--help` needs none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        command = import_module(f"sweeplib.cli.{cmd_name}").command
        assert isinstance(command, click.Command)  # noqa: S101 - each module has one
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            text = f"{error.message.rstrip('.')}{nearest(args[0], _COMMANDS)}"
            raise click.UsageError(text, ctx) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "-C",
    "--project",
    type=click.Path(exists=True, file_okay=False, resolve_path=True, path_type=Path),
    default=Path(),
    help="The project's folder, with its sweeps.yaml [default: the working folder].",
)
@click.version_option(package_name="sweeplib", prog_name="sweep")
@click.pass_context
def cli(ctx: click.Context, project: Path) -> None:
    """Run a script over many parameter combinations, as Prefect flows.

    Jobs are written in sweeps.yaml. Results go to standard output, progress and notes to standard error.
    """
    ctx.obj = project.resolve()


def entry() -> None:
    """Run the command line in a process that is there for nothing else."""
    search_less_often()
    try:
        main()
    except SystemExit as error:
        if isinstance(error.code, int):
            ends_with(error.code)
        raise


def main() -> None:
    """Run the command line and end with its exit code.

    A reader of our output that goes away (`| head`) ends us as it ends any Unix tool: silently.
    """
    _open_closed_streams()
    before = signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        code = _run()
        sys.stdout.flush()
    finally:
        signal.signal(signal.SIGPIPE, before)
    sys.exit(code)


def _open_closed_streams() -> None:
    """Have a standard stream that was closed (``>&-``) lead nowhere.

    Else the next file that is opened, the ledger perhaps, would take its number, and what commands print
    would go there.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, this one
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "r" if number == 0 else "w", closefd=False))  # noqa: SIM115


def _run() -> int:
    """Run the command line; return its exit code, having shown the error if there is one."""
    try:
        code = cli.main(prog_name="sweep", standalone_mode=False)
    except (click.exceptions.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except SweepError as error:
        click.echo(f"sweep: {error}", err=True)
        return error.exit_code
    except OSError as error:
        click.echo(f"sweep: {_system_error(error)}", err=True)
        return 1
    except Exception as error:
        if type(error).__module__.partition(".")[0] not in _CLIENT:
            raise
        click.echo(f"sweep: Prefect's API: {type(error).__name__}: {error}", err=True)
        return 1
    return code if isinstance(code, int) else 0


def _system_error(error: OSError) -> str:
    place = f" ({error.filename})" if error.filename else ""
    remedy = (
        "; free some space and run again: nothing that is done is lost" if error.errno == errno.ENOSPC else ""
    )
    return f"{error.strerror or error}{place}{remedy}"
