"""A content of the library brought to WIPO's store: for a registration, or to answer a retrieval of a big document."""
