"""The protocol as WIPO writes it. Its wire words stay in this room."""
