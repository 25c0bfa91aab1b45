"""Draw docs/console.svg, the README's picture: the real console, with a few people talking.

Run it from the top of the repository: `.venv/bin/python docs/picture.py`.
"""

import asyncio
import os
from pathlib import Path

from chat_console.app.console import ConsoleApp
from chat_console.server.chat_server import ChatServer
from chat_console.server.settings import Settings

SIZE = (108, 26)
LINES = [
    (0, "/nick Malcolm"),
    (1, "/nick Sturgis"),
    (0, "Is anybody here who has finished exercise 3?"),
    (1, "Almost. recv() does not give me whole lines, and I do not see why."),
    (2, "/nick Jimmy"),
    (2, "TCP is a stream: a read is not a line. Keep what comes after the last \\n for the next one."),
    (1, "That was it, thank you!"),
    (0, "/msg Operator May I show my solution?"),
]


async def main() -> None:
    async with ChatServer(Settings()) as server:
        os.environ["COLORTERM"] = "truecolor"  # wherever it is drawn
        app = ConsoleApp(server)
        async with app.run_test(size=SIZE) as pilot:
            streams = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(4)]
            for reader, _ in streams:
                await reader.readline()
            for client, line in LINES:
                streams[client][1].write(f"{line}\n".encode())
                await asyncio.sleep(0.2)
            server.operator().say("Please do, Malcolm: everybody, look at his solution.")
            await pilot.press("f4", "down", "down", "f2")
            await asyncio.sleep(1.2)
            picture = app.export_screenshot(title="chat-console")
            Path(__file__).with_name("console.svg").write_text(picture, encoding="utf-8")
            for _, writer in streams:
                writer.close()


asyncio.run(main())
