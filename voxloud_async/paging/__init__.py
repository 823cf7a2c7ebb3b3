"""Reads the pages of a list: ahead of its reader, in order, each row once."""

from __future__ import annotations

from ..protocol.page import Page, Progress
from .listing import Listing
from .reader import Reader

__all__ = ["Listing", "Page", "Progress", "Reader"]
