"""What Google Wallet calls (wallets, section 4)."""
