"""Reports over any period: what the calls table says, by number, group, agent or time, beside the period before."""
