"""The command line `glovebox`: one module per group of commands."""
