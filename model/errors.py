"""One exception class per cause. `code` is the name the HTTP interface and the command line give it."""


class ElsewhereError(Exception):
    """Base of everything that is a person's to mend; ``str(error)`` says what was wrong and what would be right."""

    code = "error"


class BadSeed(ElsewhereError):
    code = "bad_seed"


class BadTile(ElsewhereError):
    code = "bad_tile"


class TileOutside(ElsewhereError):
    code = "tile_outside"


class UnknownWorld(ElsewhereError):
    code = "unknown_world"


class UnknownVersion(ElsewhereError):
    code = "unknown_version"


class BadCheckpoint(ElsewhereError):
    code = "bad_checkpoint"


class BadPicture(ElsewhereError):
    code = "bad_picture"


class BadWorldName(ElsewhereError):
    code = "bad_world_name"


class WorldExists(ElsewhereError):
    code = "world_exists"


class BadImagery(ElsewhereError):
    """Training or evaluation imagery that is missing, truncated or mislabelled."""

    code = "bad_imagery"


class Cancelled(ElsewhereError):
    """Raised by a caller's ``check()`` when nobody waits for the picture any more."""

    code = "cancelled"
