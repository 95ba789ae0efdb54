"""Models for other programs: plain tensors, ONNX, tokenizers as JSON, a page that runs the model."""
