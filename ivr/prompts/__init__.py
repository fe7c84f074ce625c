"""Prompts: their texts, their sounds, their versions."""
