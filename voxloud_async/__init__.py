"""Asyncio-native client SDK for the Voxloud cloud-PBX API.

The names load on first use, so that `import voxloud_async` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from ._version import __version__

__all__ = ["RedisRate", "RetryPolicy", "VoxloudClient", "__version__", "errors", "models"]

_HOMES = {
    "RedisRate": "._ratelimit.redis_rate",
    "RetryPolicy": ".session.policy",
    "VoxloudClient": ".client",
    "errors": ".errors",
    "models": ".models",
}


def __dir__() -> list[str]:
    return __all__


if TYPE_CHECKING:
    from . import errors, models
    from ._ratelimit.redis_rate import RedisRate
    from .client import VoxloudClient
    from .session.policy import RetryPolicy
else:  # a checker that saw `__getattr__` would take every misspelt name for a good one

    def __getattr__(name: str) -> object:
        home = _HOMES.get(name)
        if home is None:
            for module in ("models", "errors") if name[:1].isupper() else ():
                if name in import_module(f".{module}", __name__).__all__:  # `from` hides the text of an AttributeError
                    raise ImportError(f"{name} is in voxloud_async.{module}: import it from there", name=__name__)
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        module = import_module(home, __name__)
        value = module if home == f".{name}" else getattr(module, name)
        globals()[name] = value
        return value
