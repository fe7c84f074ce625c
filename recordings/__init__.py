"""What was recorded, where it lies, who may listen, when it must go."""
