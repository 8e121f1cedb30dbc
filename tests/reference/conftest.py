"""What needs PyTorch is not collected without it."""

from importlib.util import find_spec

collect_ignore = [] if find_spec("torch") else ["pytorch.py", "write.py"]
