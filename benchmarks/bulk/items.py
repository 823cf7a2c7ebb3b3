"""Contacts to create, each of its own name and number."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def contact(number: int) -> Any:
    return {
        "first_name": f"N{number}",
        "last_name": "Rossi",
        "primary_phone": f"+39031{number:07}",
        "company_name": "Rossi & Figli",
    }


def contacts(count: int) -> Iterator[Any]:
    return map(contact, range(count))
