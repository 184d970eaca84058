"""What comes into the node and goes out of it, and under which rules."""
