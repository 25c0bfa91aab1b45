"""Bytes to lines and events to bytes: framing, flood control, fan-out, and the sockets."""
