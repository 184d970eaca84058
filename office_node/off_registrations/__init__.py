"""Office of first filing: a priority document is registered at WIPO, corrected, replaced, withdrawn, certified."""
