from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def pickled() -> Callable[..., Any]:
    """The twin of a value on the other side of a pipe."""

    def twin(value: object, protocol: int = pickle.DEFAULT_PROTOCOL) -> Any:
        return pickle.loads(pickle.dumps(value, protocol))  # noqa: S301 - bytes made right here

    return twin
