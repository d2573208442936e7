"""Every setting as an option of a command."""

from dataclasses import fields
from functools import wraps

import click

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
