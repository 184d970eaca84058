"""The watched folder: the office's own systems lay documents in, and find beside them what became of them."""
