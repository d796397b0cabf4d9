"""Vendor adapters: what wallets are sent, and what they send."""
