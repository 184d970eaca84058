"""Office of first filing: a retrieval that WIPO forwards is accepted, prepared, announced and served."""
