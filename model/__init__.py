"""Elsewhere's generator: base imagery, networks, noise, cascade. Usable without the server.

``model.World`` is the way in from a notebook; it is loaded when first asked for, since it brings the network along.
"""


def __getattr__(name: str):
    if name == "World":
        from model.notebook import World

        return World
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
