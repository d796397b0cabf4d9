"""The Airship Wallet dialect, under /v1 (contract: airship-wallet-v1)."""
