"""The turning points of a call, one file each, in the order a citizen meets them.

enter → offer ⇄ waiting → (a human) → after → rated; callback or message instead of
waiting; seat_key is the agents' own, supervise the supervisors', partner is asked when an agent calls one into a talk,
handed when a centre gives a citizen back, call_out when an agent wants to call somebody; loop is nobody's call, it
proves that all of us answers.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from ivr.flows.after import after
from ivr.flows.call_out import call_out
from ivr.flows.callback import callback
from ivr.flows.enter import enter
from ivr.flows.handed import handed
from ivr.flows.loop import loop
from ivr.flows.message import message
from ivr.flows.offer import offer
from ivr.flows.partner import partner
from ivr.flows.rated import rated
from ivr.flows.seat_key import seat_key
from ivr.flows.supervise import supervise
from ivr.flows.waiting import waiting
from ivr.model import Answer, Question, Script
from ivr.ports import CallBackend

FLOWS: Mapping[Script, Callable[[Question, CallBackend], Answer | Awaitable[Answer]]] = {
    Script.ENTER: enter,
    Script.OFFER: offer,
    Script.WAITING: waiting,
    Script.CALLBACK: callback,
    Script.MESSAGE: message,
    Script.AFTER: after,
    Script.RATED: rated,
    Script.SEAT_KEY: seat_key,
    Script.SUPERVISE: supervise,
    Script.PARTNER: partner,
    Script.HANDED: handed,
    Script.CALL_OUT: call_out,
    Script.LOOP: loop,
}
"""A caller's flows answer at once; an agent's PIN takes a moment, in a thread."""
