"""Bulk writes: an outcome for every item, and a journal for runs that may be killed."""
