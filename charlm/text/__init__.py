"""From text files to token ids: sources, tokenizers (one file a kind), the corpus on disk."""
