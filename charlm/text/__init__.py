"""From text files to token ids: text sources, tokenizers (one file each), the corpus on disk."""
