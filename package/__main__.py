"""`python -m chat_console` is the command `chat-console`."""

import sys

from .app.cli import main

sys.exit(main())
