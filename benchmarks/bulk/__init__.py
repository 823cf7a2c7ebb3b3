"""Contacts in bulk: exact through SIGKILL, and how fast."""
