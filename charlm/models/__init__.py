"""What obeys the contract of `lm.py`, in NumPy alone, and the file that a model lives in."""
