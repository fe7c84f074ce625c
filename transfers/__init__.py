"""Transfers to the emergency centres: the state table, and what the ledger is told of it.

The transfer itself is carried out by the dialplan alone (contexts one-key, call-centre, reach and conference of
asterisk_conf/templates/extensions.conf.j2), so that it works without any process of ours. Here the engine watches.
"""
