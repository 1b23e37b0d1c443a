"""Event logs as others read them: what was known at each frame, summaries, parts, and the formats of other tools."""
