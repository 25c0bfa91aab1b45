"""The room itself: its members, and what each line does. Pure: no sockets, loop, clock or randomness."""
