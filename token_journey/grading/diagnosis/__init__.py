"""Why a check fails: where numbers part, and which known mistake gives just these."""
