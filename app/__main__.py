"""`python -m chat_console.app` is the command `chat-console`, as `python -m chat_console` is."""

import sys

from .cli import main

sys.exit(main())
