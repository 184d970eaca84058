"""The office's own authorization server and its guard, against tables (a), (b) and (c) of the auth checks."""
