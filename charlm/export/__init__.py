"""Models for other programs: tensors, ONNX, tokenizers as JSON, a page that runs the model."""
