"""The digital library: the office's priority documents and the catalogue that knows them."""
