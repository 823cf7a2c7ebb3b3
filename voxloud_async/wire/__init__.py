"""One HTTP exchange, no policy: messages, the transport contract and its two implementations."""
