"""One room on many machines: each node applies the entries of one shared log to its own copy of the room."""
