"""The setting that makes processes share a limit; Redis itself is loaded only where it is used."""

from __future__ import annotations

from attrs import field, frozen

from ..protocol import arguments


@frozen
class RedisRate:
    """`VoxloudClient(rate=RedisRate("redis://..."))`: one learned limit for all processes of a key.

    `url` is redis-py's; `rate` fixes requests a second for all processes together instead of learning them; `processes`
    is how many share the limit, which matters only while Redis does not answer.
    """

    url: str = field(repr=False)  # it may hold a password
    rate: float | None = field(default=None, kw_only=True)
    processes: int = field(default=4, kw_only=True)

    def __attrs_post_init__(self) -> None:
        arguments.text("url", self.url)
        if self.rate is not None:
            arguments.seconds("rate", self.rate)
        arguments.number("processes", self.processes, 1)
