"""Hostile clients, and many clients for long.

Run `python -m tests.hostile.fuzz`, `python -m tests.hostile.measure` and `python -m tests.hostile.soak`.
"""
