"""Contacts to write, and what a sandbox holds of them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from voxloud_async.sandbox import Sandbox

ADA: Any = {"first_name": "Ada", "primary_phone": "+390312345678"}


def contact(number: int) -> Any:
    return {"first_name": f"N{number}", "primary_phone": f"+39031{number:07}", "phones": ["+390322222222"]}


def contacts(count: int) -> Iterator[Any]:
    return map(contact, range(count))


async def later(count: int) -> AsyncIterator[Any]:
    for each in contacts(count):
        yield each


def names(sandbox: Sandbox) -> Counter[str]:
    """How many contacts there are of each first name."""
    return Counter(each.first_name for each in sandbox.state.contacts.values())


def once_each(count: int) -> Counter[str]:
    return Counter(f"N{number}" for number in range(count))
