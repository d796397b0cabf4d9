"""Apple Wallet: signed pass files and the credentials that sign them."""
