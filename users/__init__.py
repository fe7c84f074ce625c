"""Who may use the hotline: people with roles, programs with tokens, their sessions and rights."""
