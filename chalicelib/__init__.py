"""Passel: a serverless wallet-pass backend."""
