"""The command line: ``pvtpp COMMAND ...``."""
