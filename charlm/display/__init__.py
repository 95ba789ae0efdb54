"""Readable text and amounts, colours, charts, HTML. Knows no model."""
