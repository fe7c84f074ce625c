"""Test phones on SIPp: citizens, seats and centres for the demo, the tests and the bench."""
