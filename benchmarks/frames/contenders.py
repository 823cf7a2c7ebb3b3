"""The ways from the bytes of pages to one table. Each gives all rows, and every field that one of them has."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable
from typing import Any

import attrs
import orjson
import pandas as pd
import polars as pl
import pyarrow as pa
from pyarrow import json as arrow_json

from voxloud_async.protocol.codec import decode

from .pages import Book

BASE = "orjson.loads alone"
OURS = "voxloud_async frame"

Way = Callable[[], Any]


def ways(book: Book) -> dict[str, Way]:
    """Every way, for one kind of pages."""
    frame = book.frame
    return {
        BASE: lambda: _rows(book, orjson.loads),
        OURS: lambda: frame.from_pages(book.pages),
        "voxloud_async frame, to_pandas": lambda: frame.from_pages(book.pages).to_pandas(),
        "voxloud_async frame, to_polars": lambda: frame.from_pages(book.pages).to_polars(),
        "models, pyarrow from_pylist": lambda: _arrow(_dicts(book)),
        "models, pandas": lambda: pd.DataFrame(_dicts(book)),
        "models, polars": lambda: pl.DataFrame(_dicts(book), infer_schema_length=None),
        "orjson, pyarrow from_pylist": lambda: _arrow(_rows(book, orjson.loads)),
        "json, pyarrow from_pylist": lambda: _arrow(_rows(book, json.loads)),
        "orjson, pandas json_normalize": lambda: pd.json_normalize(_rows(book, orjson.loads)),
        "orjson, polars": lambda: pl.DataFrame(_rows(book, orjson.loads), infer_schema_length=None),
        "polars read_json": lambda: _polars(book),
        "pyarrow read_json": lambda: _arrow_json(book),
    }


def _rows(book: Book, loads: Callable[[bytes], Any]) -> list[dict[str, Any]]:
    return [row for page in book.pages for row in loads(page)[book.page.rows]]


def _dicts(book: Book) -> list[dict[str, Any]]:
    """Models as rows, their unknown fields beside the known ones."""
    models = (model for page in book.pages for model in decode(page, book.page.kind).items)
    return [_row(attrs.asdict(model, recurse=False)) for model in models]


def _row(fields: dict[str, Any]) -> dict[str, Any]:
    del fields["nulls"]
    return fields | dict(fields.pop("extra"))


def _arrow(rows: list[dict[str, Any]]) -> pa.Table:
    """With the names of all rows: by itself `from_pylist` takes those of the first, and drops the others."""
    names: Iterable[str] = dict.fromkeys(name for row in rows for name in row)
    return pa.Table.from_pydict({name: [row.get(name) for row in rows] for name in names})


def _polars(book: Book) -> pl.DataFrame:
    name = book.page.rows
    tables = [pl.read_json(page).select(pl.col(name).explode()).unnest(name) for page in book.pages]
    return pl.concat(tables, how="diagonal_relaxed")


def _arrow_json(book: Book) -> pa.Table:
    tables = [_arrow_page(page, book.page.rows) for page in book.pages]
    return pa.concat_tables(tables, promote_options="permissive")


def _arrow_page(page: bytes, name: str) -> pa.Table:
    # a block must hold the largest document, which is the page
    options = arrow_json.ReadOptions(block_size=len(page) + 1, use_threads=False)
    rows = arrow_json.read_json(io.BytesIO(page), read_options=options).column(name)
    return pa.Table.from_struct_array(rows.combine_chunks().flatten())
