"""The session layer: one concern a file, all of one signature, chained once by `session.py`."""
