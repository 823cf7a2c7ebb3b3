"""What an endpoint works with."""

from __future__ import annotations

from collections.abc import Callable

from attrs import frozen

from .exchange import Answer, Call
from .pbx import Pbx
from .quirks import Quirks


@frozen(kw_only=True)
class Context:
    """One call at its endpoint; `id` is the one in the path, decoded, empty where the path has none."""

    pbx: Pbx
    quirks: Quirks
    call: Call
    id: str = ""


Endpoint = Callable[[Context], Answer]
