# Generated from spec/voxloud.yaml by `python -m codegen`. Do not edit.
"""The account of a key, as frozen attrs classes."""

from __future__ import annotations

from attrs import field, frozen

from ._base import Model


@frozen(kw_only=True, repr=False)
class Account(Model):
    """The company that a key belongs to. API text, line 14."""

    name: str = field(metadata={"wire": "name", "personal": True})
    """Company name. API text, line 16."""

    email: str = field(metadata={"wire": "email", "personal": True})
    """E-mail address of the administrator. API text, line 17."""
