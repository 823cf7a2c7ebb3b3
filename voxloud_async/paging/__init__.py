"""Reads the pages of a list: ahead of its reader, in order, each row once."""

from __future__ import annotations

from .._streams import Stream
from ..protocol.page import Page, Progress
from .listing import Listing, PageStream

__all__ = ["Listing", "Page", "PageStream", "Progress", "Stream"]
