"""How a command shows its result: the option every command has, and what becomes of models."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterable, Iterable, Sequence
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Annotated, Any, Literal, TextIO

from attrs import frozen
from cyclopts import Group, Parameter

from .tables import Column, TableWriter, write_fields
from .writers import CsvWriter, JsonWriter, NdjsonWriter, Row, Writer, to_json

if TYPE_CHECKING:
    from ..models import Model

Format = Literal["table", "json", "ndjson", "csv"]


@frozen
class View:
    """What a kind of object looks like: its models or the names of its fields, for CSV, and the columns of a table."""

    models: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
    names: tuple[str, ...] = ()


@Parameter(name="*", group=Group("Output", sort_key=10))
@frozen(kw_only=True)
class Output:
    """The form of the result, on standard output."""

    format: Format | None = None
    """By default a table on a terminal and NDJSON, one object a line, elsewhere."""

    safe_cells: Annotated[bool, Parameter(show_default=False)] = False
    """With --format csv, for spreadsheets: an apostrophe before what they would calculate, such as =1+1 or +39."""

    def __attrs_post_init__(self) -> None:
        if self.safe_cells and self.format != "csv":
            raise ValueError("--safe-cells needs --format csv")

    @property
    def chosen(self) -> Format:
        """The format, asked for or not."""
        return self.format or ("table" if sys.stdout.isatty() else "ndjson")

    async def stream(self, models: AsyncIterable[Model], view: View) -> None:
        """Write models as they come."""
        writer = self._writer(sys.stdout, view)
        async for model in models:
            writer.write(_wire(model))
        writer.end()

    async def flow(self, rows: AsyncIterable[Row], view: View) -> None:
        """Write objects that are no models as they come, each seen at once."""
        writer = self._writer(sys.stdout, view)
        async for row in rows:
            writer.write(row)
            sys.stdout.flush()
        writer.end()

    def several(self, models: Sequence[Model], view: View) -> None:
        """Write models that are all there."""
        self.rows(map(_wire, models), view)

    def rows(self, rows: Iterable[Row], view: View) -> None:
        """Write objects that are no models."""
        writer = self._writer(sys.stdout, view)
        for row in rows:
            writer.write(row)
        writer.end()

    def one(self, model: Model, view: View) -> None:
        """Write one model."""
        row = _wire(model)
        if self.chosen == "csv":
            self._csv(wire_columns(view)).write(row)
        else:
            self.values(row)

    def values(self, row: Row) -> None:
        """Write one object that is no model."""
        out = sys.stdout
        if self.chosen == "table":
            write_fields(out, row)
        elif self.chosen == "csv":
            self._csv(list(row)).write(row)
        else:
            out.write(to_json(row) + "\n")

    def _csv(self, columns: Sequence[str]) -> CsvWriter:
        return CsvWriter(sys.stdout, columns, safe=self.safe_cells)

    def _writer(self, out: TextIO, view: View) -> Writer:
        match self.chosen:
            case "table":
                return TableWriter(out, view.columns, width=get_terminal_size().columns)
            case "json":
                return JsonWriter(out)
            case "csv":
                return self._csv(wire_columns(view))
            case _:
                return NdjsonWriter(out)


def wire_columns(view: View) -> list[str]:
    """The names of a view's fields: its own, and the wire names of its models, each once."""
    from .. import models  # noqa: PLC0415 - `--help` does without
    from ..protocol.codec.fault import wire_names  # noqa: PLC0415

    kinds = [getattr(models, name) for name in view.models]
    of_models = (name for kind in kinds for name in wire_names(kind).values())
    return list(dict.fromkeys((*view.names, *of_models)))


def _wire(model: Model) -> dict[str, Any]:
    from ..protocol.codec import unstructure  # noqa: PLC0415 - the same

    return unstructure(model)
