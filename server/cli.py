"""The command line, ``python -m server …``: each command lives in the module of its subject."""

import logging
from dataclasses import fields
from functools import wraps

import click

from model.errors import ElsewhereError
from server.settings import Settings, option, shown_default, variable


def with_settings(command):
    """Give a click command every setting as an option, and hand it the :class:`Settings` as its first argument."""

    @wraps(command)
    def run(*args, **given):
        names = {entry.name for entry in fields(Settings)}
        chosen = {name: given.pop(name) for name in list(given) if name in names}
        try:
            settings = Settings.load(**chosen)
        except ValueError as error:
            raise click.UsageError(str(error)) from None
        return command(settings, *args, **given)

    for entry in reversed(fields(Settings)):
        note = f"{entry.metadata['help']}  [env: {variable(entry.name)}; default: {shown_default(entry)}]"
        run = click.option(option(entry.name), entry.name, metavar="…", default=None, help=note)(run)
    return run


class _Group(click.Group):
    """Serves when no command is named; says what is wrong in one line, without a trace."""

    def parse_args(self, ctx, args):
        if not args or (args[0].startswith("-") and args[0] not in ("--help", "-h", "--version")):
            args = ["serve", *args]
        return super().parse_args(ctx, args)

    def invoke(self, ctx):
        try:
            return super().invoke(ctx)
        except ElsewhereError as error:
            raise click.ClickException(str(error)) from None


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
def main() -> None:
    """Elsewhere: a map of places that do not exist. Without a command it serves."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", datefmt="%H:%M:%S")


@main.command()
@with_settings
def serve(settings: Settings) -> None:
    """Serve the explorer, tiles and documents."""
    from server.serving import serve as run  # torch and Flask take seconds to import, --help should not

    try:
        run(settings, tell=click.echo)
    except OSError as error:
        raise click.ClickException(
            f"Cannot listen on {settings.host}:{settings.port} ({error.strerror or error}). Another one: --port 8001"
        ) from None


def _add_commands() -> None:
    """The commands of other modules; here at the end, for they import :func:`with_settings`."""
    from server import render_cli, store_cli

    for command in (store_cli.cache, store_cli.verify, render_cli.render):
        main.add_command(command)


_add_commands()
