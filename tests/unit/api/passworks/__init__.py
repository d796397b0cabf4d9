"""The Passworks dialect without a server."""
