"""The command line, ``python -m server …``: each command lives in the module of its subject."""

import logging

import click

from model.errors import ElsewhereError
from server import bench, render_cli, store_cli, worlds_cli
from server.options import with_settings
from server.settings import Settings


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

    run(settings, tell=click.echo)


for command in (bench.bench, store_cli.cache, store_cli.verify, render_cli.render, worlds_cli.worlds):
    main.add_command(command)
