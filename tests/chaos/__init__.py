"""Faults by chance: real processes, a storage and queues that fail, kills; and what must hold at the end all the same."""
