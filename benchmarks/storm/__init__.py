"""Calls that meet a limit nobody told them of."""
