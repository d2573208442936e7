"""Elsewhere's generator: base imagery, networks, noise, cascade. Usable without the server."""
