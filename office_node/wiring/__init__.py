"""The only place where parts meet: settings go in, a node comes out."""
