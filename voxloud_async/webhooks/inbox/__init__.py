"""Where deliveries wait between their acknowledgement and their handling, one store a file."""
