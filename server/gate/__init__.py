"""Who may come in: bans, and limits for each address."""
