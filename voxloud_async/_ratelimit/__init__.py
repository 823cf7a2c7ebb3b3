"""The rate limit of a key: what a refusal applies to, how fast to send, and the queue in front of it."""
