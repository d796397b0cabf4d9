"""Passel: a serverless wallet-pass backend."""

import gc

# What is imported stays, and looking through it again and again is a tenth of a cold start.
gc.set_threshold(50_000)
