"""Faults by chance: real processes, storage and queues that fail, kills; and what must hold at the end all the same."""
