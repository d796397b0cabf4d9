"""The Passworks dialect, `/v2`: routes, and how they read and answer (passworks-v2)."""
