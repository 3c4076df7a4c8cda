"""The outside world, for every test of a client."""

from tests.outside_world import outside_server, world

__all__ = ["outside_server", "world"]
