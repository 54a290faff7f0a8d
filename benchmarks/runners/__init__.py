"""Scripts that are measured, each in a process of its own; the last line of their output is their answer."""
