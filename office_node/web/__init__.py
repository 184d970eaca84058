"""The web door: gunicorn with threads, its limits from our settings, its own refusals in DAS's shape."""
