"""Conversations with a caller: what is said, what is asked, where the call goes next."""
