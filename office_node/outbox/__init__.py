"""What the node still has to do and to tell: written in the transaction that made it true, delivered at least once."""
