"""The office node: exchanges priority documents with WIPO's Digital Access Service (DAS)."""

__version__ = "0.1.0"
