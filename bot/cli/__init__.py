"""The command line, one file per command. A command imports inside its function, and only what it needs."""
