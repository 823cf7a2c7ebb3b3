"""The receiver of webhooks, killed, flooded and timed."""
