"""This office as office of second filing: it asks WIPO for documents, and collects them."""
