"""Ratios measured side by side in one run; `make bench` runs each file. Nothing here is a test."""
