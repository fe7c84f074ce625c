"""What a citizen was promised instead of waiting: a call back (回拨), or that a message (留言) is dealt with."""
