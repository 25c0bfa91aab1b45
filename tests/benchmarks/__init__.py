"""chat-console against naive and well-known chat servers. Run `python -m tests.benchmarks`."""
