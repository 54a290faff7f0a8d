"""`sweep completion`: the script that teaches a shell to complete our commands and jobs."""

from __future__ import annotations

import os

import click
from click.shell_completion import get_completion_class

__all__ = ["command"]


@click.command(name="completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]), required=False)
@click.pass_context
def command(ctx: click.Context, shell: str | None) -> None:
    """Print the completion script of a shell [default: the one in $SHELL].

    For bash: eval "$(sweep completion bash)" in ~/.bashrc.
    """
    name = shell or os.path.basename(os.environ.get("SHELL", ""))  # noqa: PTH119 - a name, not a path
    kind = get_completion_class(name)
    if kind is None:
        msg = f"no completion for the shell {name!r}; say one of: bash, zsh, fish"
        raise click.UsageError(msg)
    click.echo(kind(ctx.find_root().command, {}, "sweep", "_SWEEP_COMPLETE").source())
