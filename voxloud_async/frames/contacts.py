"""Contacts as a table."""

from __future__ import annotations

from typing import ClassVar

from ..models import Contact, Model
from .frame import Frame


class ContactFrame(Frame[Contact]):
    """Contacts as a table, a row a contact."""

    __slots__ = ()

    _models: ClassVar[tuple[type[Model], ...]] = (Contact,)
    _row = Contact
    _listed = Contact
