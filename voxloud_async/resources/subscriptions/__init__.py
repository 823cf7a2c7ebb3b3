"""Keeping webhook subscriptions as they should be: a plan, its execution, and a watch over them."""
