"""Everything that can be configured, in one frozen dataclass.

Each field is an option of the command line (``--cache-dir``) and an environment variable (``ELSEWHERE_CACHE_DIR``);
the option wins. ``README.md`` shows the table that :func:`table` makes, and a test compares them.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

PREFIX = "ELSEWHERE_"
_UNITS = {"": 1, "b": 1, "k": 1000, "m": 1000**2, "g": 1000**3, "t": 1000**4}


def parse_size(text: str | int) -> int:
    """Bytes from ``2GB``, ``500 MB`` or ``1000000`` (decimal units). Raises ValueError."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?\s*", str(text).lower())
    if not found:
        raise ValueError(f"{text!r} is not a size; write it like 500MB or 2GB")
    return int(float(found[1]) * _UNITS[found[2]])


def parse_flag(text: str | bool) -> bool:
    """``1``, ``true``, ``yes``, ``on`` and their opposites. Raises ValueError."""
    word = str(text).strip().lower()
    if word in ("1", "true", "yes", "on"):
        return True
    if word in ("", "0", "false", "no", "off"):
        return False
    raise ValueError(f"{text!r} is neither yes nor no; write 1 or 0")


def parse_count(text: str | int) -> int:
    """A whole number from 0. Raises ValueError."""
    if not re.fullmatch(r"\d{1,9}", str(text).strip()):
        raise ValueError(f"{text!r} is not a whole number")
    return int(text)


def parse_url(text: str) -> str:
    """An absolute address without its last slash, or nothing. Raises ValueError."""
    text = text.strip().rstrip("/")
    if text and not re.fullmatch(r"https?://[^\s/]+(/\S*)?", text):
        raise ValueError(f"{text!r} is not an address; write it like https://maps.example.org/elsewhere")
    return text


def _setting(default: Any, parse, note: str, shown: str | None = None) -> Any:
    """One field: its default, the function that reads it from text, its line of help, its default in words."""
    return field(default=default, metadata={"parse": parse, "help": note, "shown": shown})


@dataclass(frozen=True)
class Settings:
    """How one server runs. See :func:`table` for the whole list in words."""

    host: str = _setting("127.0.0.1", str, "Address to listen on; 0.0.0.0 is every interface.")
    port: int = _setting(8000, parse_count, "Port to listen on; 0 takes a free one.")
    cache_dir: Path = _setting(Path("cache"), Path, "Where made tiles are kept; may be deleted at any time.")
    data_dir: Path = _setting(Path("data"), Path, "Where the worlds that people add are kept.")
    cache_size: int = _setting(2 * 1000**3, parse_size, "Room for made tiles; the oldest go first.", "2GB")
    device: str = _setting("cpu", str, "Where the network runs: cpu, cuda, cuda:1 …")
    threads: int = _setting(
        min(os.cpu_count() or 1, 8), parse_count,
        "Processor threads, and so many windows at once; no pixel changes.", "cores, up to 8",
    )  # fmt: skip
    public_url: str = _setting("", parse_url, "Address people reach this server at, for links it prints.", "as asked")
    trusted_proxy: bool = _setting(False, parse_flag, "Believe X-Forwarded-* headers of one proxy in front.")
    token: str = _setting("", str, "Password for adding and removing worlds; without, only this machine may.", "none")
    upload_limit: int = _setting(200 * 1000**2, parse_size, "Largest picture that may be uploaded.", "200MB")
    queue_limit: int = _setting(64, parse_count, "Requests that may wait for renders; more are answered 503 busy.")
    foresight: int = _setting(48, parse_count, "Windows made ahead for each view while nobody waits; 0 is none.")
    weights: str = _setting("", str, "Folder of another network in place of the published ones.", "published")

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65535:
            raise ValueError(f"port {self.port} does not exist; take one from 0 to 65535")
        if self.queue_limit < 1:
            raise ValueError("queue_limit must be at least 1, or no new tile could ever be asked for")
        if self.threads < 1:
            raise ValueError("threads must be at least 1")

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None, **given: Any) -> "Settings":
        """Settings from the defaults, then the environment, then ``given`` (None means not given).

        Raises ValueError that names the setting and what would be right.
        """
        environ = os.environ if environ is None else environ
        values = {}
        for entry in fields(cls):
            text = given.get(entry.name)
            if text is None:
                text = environ.get(variable(entry.name))
            if text is None:
                continue
            try:
                values[entry.name] = entry.metadata["parse"](text)
            except ValueError as error:
                raise ValueError(f"{entry.name}: {error}") from None
        unknown = set(given) - {entry.name for entry in fields(cls)}
        if unknown:
            raise ValueError(f"no such setting: {', '.join(sorted(unknown))}")
        return cls(**values)


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + name.upper()


def option(name: str) -> str:
    """The command-line option of a setting."""
    return "--" + name.replace("_", "-")


def shown_default(entry) -> str:
    """A field's default in words."""
    if entry.metadata["shown"] is not None:
        return entry.metadata["shown"]
    return {True: "1", False: "0"}.get(entry.default, str(entry.default)) if entry.type is bool else str(entry.default)


def table() -> str:
    """Every setting as a Markdown table (the one in ``README.md``)."""
    rows = ["| option | environment | default | |", "|---|---|---|---|"]
    for entry in fields(Settings):
        rows.append(
            f"| `{option(entry.name)}` | `{variable(entry.name)}` | {shown_default(entry)} | {entry.metadata['help']} |"
        )
    return "\n".join(rows)
