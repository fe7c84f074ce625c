"""Who may pass: permissions, the guard, ownership, access tickets, rate limits."""
