"""Telephony events and contacts as tables (the extra `frames`): Arrow inside, pandas, polars or DuckDB outside."""

from __future__ import annotations

try:
    import pyarrow as pa  # noqa: F401 - its absence is to be told in words
except ModuleNotFoundError as error:
    raise ImportError("frames need pyarrow: pip install 'voxloud_async[frames]'", name=error.name) from error

from .contacts import ContactFrame
from .events import EventFrame

__all__ = ["ContactFrame", "EventFrame"]
