"""The web service that wallets call (wallets, sections 2 and 3)."""
