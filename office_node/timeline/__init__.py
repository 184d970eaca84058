"""What happened to each document and request: appended, chained, signed; never changed."""
