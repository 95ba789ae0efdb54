"""Readable text and quantities, colours, charts, HTML. Independent of any model."""
