"""The command line: one file a command, the thinnest layer."""
