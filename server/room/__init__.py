"""The room itself: who is here, and what each line does. Pure: no socket, loop, clock or chance."""
