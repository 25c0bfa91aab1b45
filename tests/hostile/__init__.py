"""Hostile clients, and many clients for long.

Run `python -m tests.hostile.fuzz` and `python -m tests.hostile.soak`.
"""
