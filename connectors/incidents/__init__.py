"""Exported incident histories: one incident a line, read from a file. It reads only; there is nothing to write to."""
