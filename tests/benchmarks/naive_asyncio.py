"""The chat server that people write first with asyncio streams.

Each message is a `write` and a `drain` for each member. It speaks chat-console's
dialect as far as the benchmark needs it. With `--quiet` only the newcomer is told of a join.
"""

import argparse
import asyncio

writers: set[asyncio.StreamWriter] = set()
quiet = False


async def broadcast(text: str, but: asyncio.StreamWriter | None = None) -> None:
    data = f"{text}\n".encode()
    for writer in list(writers):
        if writer is not but:
            try:
                writer.write(data)
                await writer.drain()
            except ConnectionError:
                writers.discard(writer)


async def serve_client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    ip, port = writer.get_extra_info("peername")[:2]
    name = f"{ip}|{port}"
    writers.add(writer)
    welcome = f"Welcome {name} to the server!"
    try:
        if quiet:
            writer.write(f"{welcome}\n".encode())
        else:
            await broadcast(welcome)
        while line := await reader.readline():
            text = line.decode(errors="replace").rstrip()
            if text:
                await broadcast(f"{name}: {text}", but=writer)
    except ConnectionError:
        pass
    finally:
        writers.discard(writer)
        writer.close()
    await broadcast(f"{name} has left the server.")


async def main() -> None:
    global quiet
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--quiet", action="store_true")
    arguments = parser.parse_args()
    quiet = arguments.quiet
    server = await asyncio.start_server(serve_client, "127.0.0.1", arguments.port)
    print(f"Server started on port {arguments.port}", flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
