"""The chat server that people write first with threads.

There is one for each client, one lock, and a `sendall` for each message and member. It speaks chat-console's
dialect as far as the benchmark needs it. With `--quiet` only the newcomer is told of a join.
"""

import argparse
import socket
import threading

clients: set[socket.socket] = set()
lock = threading.Lock()
quiet = False


def broadcast(text: str, but: socket.socket | None = None) -> None:
    """Send to all. The caller holds the lock, so that all see one order and no line cuts another."""
    data = f"{text}\n".encode()
    for client in list(clients):
        if client is not but:
            try:
                client.sendall(data)
            except OSError:
                clients.discard(client)


def serve_client(client: socket.socket, name: str) -> None:
    welcome = f"Welcome {name} to the server!"
    with lock:
        clients.add(client)
        if quiet:
            client.sendall(f"{welcome}\n".encode())
        else:
            broadcast(welcome)
    try:
        with client, client.makefile(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                if text := line.rstrip():
                    with lock:
                        broadcast(f"{name}: {text}", but=client)
    except OSError:
        pass
    with lock:
        clients.discard(client)
        broadcast(f"{name} has left the server.")


def main() -> None:
    global quiet
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--quiet", action="store_true")
    arguments = parser.parse_args()
    quiet = arguments.quiet
    listener = socket.create_server(("127.0.0.1", arguments.port), backlog=100)
    print(f"Server started on port {arguments.port}", flush=True)
    while True:
        client, (ip, port) = listener.accept()
        threading.Thread(target=serve_client, args=(client, f"{ip}|{port}"), daemon=True).start()


if __name__ == "__main__":
    main()
