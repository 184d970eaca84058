"""A simulated WIPO central to rehearse with: part of the product, stranger to the node's own code."""
