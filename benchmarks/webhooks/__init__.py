"""The receiver of webhooks, killed, flooded and timed."""

SECRET = "a-secret-of-the-benchmarks-that-is-long-enough"  # noqa: S105 - it guards nothing
