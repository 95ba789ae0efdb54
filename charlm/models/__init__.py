"""Language models in NumPy (the contract is `lm.py`), the model file, and ARPA files."""
