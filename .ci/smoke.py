"""Start an installed chat-console in plain mode, talk to it, and end it: `smoke.py COMMAND...`."""

import re
import signal
import socket
import subprocess
import sys

with subprocess.Popen(
    [*sys.argv[1:], "--plain", "--port", "0"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
) as console:
    assert console.stdin and console.stdout
    try:
        port = int(re.fullmatch(rb"Server started on port (\d+)\n", console.stdout.readline())[1])  # type: ignore[index]
        with (
            socket.create_connection(("127.0.0.1", port), timeout=10) as client,
            client.makefile("rwb") as lines,
        ):
            address = "{}|{}".format(*client.getsockname())
            assert lines.readline().decode() == f"Welcome {address} to the server!\n"
            lines.write(b"/nick Ada\nhello\n")
            lines.flush()
            assert lines.readline() == b"You are now Ada\n"
            told = [console.stdout.readline().decode() for _ in range(3)]
            assert told[1:] == [f"{address} is now Ada\n", "Ada: hello\n"], told
            console.stdin.write(b"/kick Ada\n")
            console.stdin.flush()
            assert lines.readlines() == [b"You have left the server\n"]
        console.send_signal(signal.SIGTERM)
        assert console.wait(10) == 0
    finally:
        console.kill()
print("The installed wheel serves.")
