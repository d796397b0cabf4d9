"""Whole stories, told by clients that behave as the contracts say that existing ones do."""
