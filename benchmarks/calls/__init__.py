"""What one call costs, beside other clients."""
