"""The API as values and pure functions: nothing in this room awaits."""
