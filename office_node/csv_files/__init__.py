"""The CSV files of WIPO's own sample clients: read row by row, and written back with what became of each row."""
