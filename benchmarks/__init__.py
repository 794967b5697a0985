"""The measurements that README quotes; run each module with ``python -m``."""
