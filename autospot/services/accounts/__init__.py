"""What people do about their accounts, one story per module, wired together in `people.py`."""
