"""What goes out of the node, and under which rules."""
