"""`python -m chat_console.app` is the command `chat-console`."""

import sys

from .cli import main

sys.exit(main())
