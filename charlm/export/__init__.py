"""Models for other programs: plain tensors, ONNX, tokenizers as JSON."""
