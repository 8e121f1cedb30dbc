"""Programs that show what Nudge does: each runs as ``python -m demos.NAME`` from the checkout."""
