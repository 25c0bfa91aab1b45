"""Admission: bans, and connection limits per address."""
