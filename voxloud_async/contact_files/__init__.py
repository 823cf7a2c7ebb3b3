"""Contacts in the files that address books and CRMs export: CSV, NDJSON and JSON, read row by row and checked.

`ContactFile` finds the encoding, the delimiter and the columns of exports of Google Contacts, Outlook, HubSpot,
Salesforce, Pipedrive, Zoho and of this package's console. Each row becomes a `ContactRow`, whose fields can be sent, or
a `RejectedRow`, which says why they cannot. Nothing is sent.
"""

from __future__ import annotations

from .file import ContactFile, FileFormat
from .rows import ContactRow, RejectedRow

__all__ = ["ContactFile", "ContactRow", "FileFormat", "RejectedRow"]
