"""Calls that happen, and the webhooks that tell of them."""
