"""Streams of telephony events: pages asked for ahead, and one after another."""
