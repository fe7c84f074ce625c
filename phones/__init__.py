"""Phones that really ring: citizens, seats and emergency centres for the demo, the tests and the bench.

They speak SIP and G.711 A-law over UDP and keep what they heard, so that "the caller heard the greeting
and the agent" is measured on the wire and not assumed. They know nothing of the engine, the dialplan or the
database: only numbers, users and passwords. Why our own user agent beside SIPp: docs/decisions/0007.
"""
