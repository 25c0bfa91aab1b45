"""Textual widgets that know nothing of the server."""
