"""Recordings, voicemails and fax documents: downloaded from where their links lead, and never with the API key."""

from __future__ import annotations

from .links import S3_HOSTS
from .recordings import Recordings

__all__ = ["S3_HOSTS", "Recordings"]
