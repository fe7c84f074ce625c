"""应急工单: what an agent raises in a call, and the clock on which departments must take it."""
