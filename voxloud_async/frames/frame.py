"""What every frame can: be built from pages or models, and be handed on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar

import pyarrow as pa

from .._tracebacks import without_frames
from ..errors import ArgumentTypeError
from ..models import Model
from ..paging import Listing
from ..protocol import codec
from ..protocol.page import Page
from .columns import Column, columns_of, schema_of
from .join import distinct, joined
from .rows import table_of_models
from .show import html_table

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

M = TypeVar("M", bound=Model)


@without_frames
class Frame(Generic[M]):
    """Rows as columns. Immutable; it speaks the Arrow PyCapsule protocol, so whatever takes Arrow streams takes it.

    The columns are the models' fields under their attribute names, whether the rows have them or not; behind them stand
    the fields that no model knows, under their names in JSON.
    """

    _models: ClassVar[tuple[type[Model], ...]]
    _row: ClassVar[Any]
    _listed: ClassVar[Any]
    """What a page of the rows is read as."""

    __slots__ = ("_table",)

    def __init__(self, table: pa.Table) -> None:
        if not isinstance(table, pa.Table):
            raise ArgumentTypeError(
                "table", f"must be what read, from_pages and from_models make, not {type(table).__name__}"
            )
        self._table = table

    @classmethod
    async def read(cls, rows: Listing[M]) -> Self:
        """Read a whole listing: `await EventFrame.read(client.telephony_events.query(...))`.

        Its pages become columns as they come, so no more objects are held than those of one page; each row is there
        once, as when the listing is iterated. Raises what that raises.
        """
        async with rows.placed() as pages:
            tables = [cls._page(page, rows.kind, places) async for page, places in pages]
        return cls._joined(tables)

    @classmethod
    def from_pages(cls, pages: Iterable[bytes]) -> Self:
        """Build one from raw pages, each row once by its id; raises `DecodeError` for what is no such page."""
        if isinstance(pages, bytes):
            raise ArgumentTypeError("pages", "must be a list of pages, not a single one")
        return cls._distinct([cls._page(page, Page[cls._listed]) for page in pages])  # type: ignore[name-defined]  # a type made at run time

    @classmethod
    def from_models(cls, models: Iterable[M]) -> Self:
        """Build one from models, each row once by its id; raises TypeError for those of another frame."""
        rows = [*models]
        for row in rows:
            if not isinstance(row, cls._row):
                raise ArgumentTypeError("models", f"must be those of {cls.__name__}, not {type(row).__name__}")
        return cls._distinct([table_of_models(rows, cls._columns())])

    @classmethod
    def _distinct(cls, tables: list[pa.Table]) -> Self:
        return cls(distinct(cls._joined(tables).to_arrow()))

    @classmethod
    def _joined(cls, tables: list[pa.Table]) -> Self:
        return cls(joined(tables, schema_of(cls._columns())))

    @classmethod
    def _page(cls, page: bytes, kind: Any, places: list[int] | None = None) -> pa.Table:
        rows = codec.decode(page, kind).items
        return table_of_models(rows if places is None else [rows[place] for place in places], cls._columns())

    @classmethod
    def _columns(cls) -> tuple[Column, ...]:
        return columns_of(cls._models)

    def __len__(self) -> int:
        return int(self._table.num_rows)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {len(self):,} rows, {self._table.num_columns} columns>"

    def _repr_html_(self) -> str:
        personal = {each.name for each in self._columns() if each.personal}
        unknown = set(self._table.schema.names) - {each.name for each in self._columns()}  # who knows what they hold
        return html_table(self._table, personal | unknown, repr(self).strip("<>"))

    def __arrow_c_schema__(self) -> object:
        """Arrow's schema capsule."""
        return self._table.schema.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Arrow's stream capsule."""
        return self._table.__arrow_c_stream__(requested_schema)

    def to_arrow(self) -> pa.Table:
        """The rows as a `pyarrow.Table`, without a copy."""
        return self._table

    def to_pandas(self) -> pd.DataFrame:
        """The rows as a `pandas.DataFrame` of Arrow types, so that a whole number with gaps stays whole."""
        import pandas as pd  # noqa: PLC0415 - only who asks for pandas needs it

        frame: pd.DataFrame = self._table.to_pandas(types_mapper=pd.ArrowDtype)
        return frame

    def to_polars(self) -> pl.DataFrame:
        """The rows as a `polars.DataFrame`."""
        import polars as pl  # noqa: PLC0415 - the same

        return pl.DataFrame(self._table)
