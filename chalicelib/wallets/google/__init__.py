"""Google Wallet (wallets, section 4)."""
