"""A hand-written switch to test the phones with.

12345 dials seat 8001, 110 dials a centre, any other number presses its own length as keys.
"""

from __future__ import annotations

PASSWORD = "only-for-this-test"
MODULES = (
    *("res_crypto", "res_timing_timerfd", "res_rtp_asterisk", "res_sorcery_config", "res_sorcery_memory"),
    *("res_sorcery_astdb", "res_pjproject", "res_pjsip", "res_pjsip_authenticator_digest"),
    *("res_pjsip_outbound_authenticator_digest", "res_pjsip_endpoint_identifier_ip"),
    *("res_pjsip_endpoint_identifier_user", "res_pjsip_registrar", "res_pjsip_session", "res_pjsip_pubsub"),
    *("res_pjsip_sdp_rtp", "res_pjsip_caller_id", "res_pjsip_rfc3326", "chan_pjsip", "bridge_simple"),
    *("bridge_native_rtp", "bridge_builtin_features", "codec_alaw", "format_pcm", "pbx_config", "app_dial"),
    *("app_read", "app_senddtmf", "app_userevent", "func_callerid", "func_strings", "func_logic"),
)
PJSIP = """
[global]
type = global
endpoint_identifier_order = username,ip
[trunks]
type = transport
protocol = udp
bind = 127.0.0.1:{trunks}
[seats]
type = transport
protocol = udp
bind = 127.0.0.1:{seats}
[audio](!)
type = endpoint
disallow = all
allow = alaw
direct_media = no
[pstn](audio)
transport = trunks
context = from-pstn
[pstn-identify]
type = identify
endpoint = pstn
match = 127.0.0.1
[110](audio)
transport = trunks
aors = 110
send_pai = yes
trust_id_outbound = yes
[110]
type = aor
contact = sip:127.0.0.1:{centre}
[8001](audio)
transport = seats
context = from-seats
aors = 8001
auth = 8001
[8001]
type = aor
max_contacts = 1
[8001]
type = auth
auth_type = digest
username = 8001
password = {password}
{algorithms}
"""
EXTENSIONS = """
[from-pstn]
exten => 12345,1,Dial(PJSIP/8001,20)
 same => n,GotoIf($["${DIALSTATUS}" = "BUSY"]?key)
 same => n,Hangup(${HANGUPCAUSE})
 same => n(key),Answer()
 same => n,Read(KEY,,1,,1,10)
 same => n,SendDTMF(${KEY}${KEY})
 same => n,Hangup()
exten => 110,1,Dial(PJSIP/110,20)
exten => _X!,1,Answer()
 same => n,SendDTMF(${LEN(${EXTEN})})
 same => n,Hangup()
[from-seats]
exten => *11,1,Answer()
 same => n,SendDTMF(11)
 same => n,Hangup()
"""


def small_switch(trunks: int, seats: int, centre: int, *, sha256: bool = True) -> dict[str, str]:
    """The configuration files; the arguments are UDP ports on 127.0.0.1. SIPp needs ``sha256`` off."""
    algorithms = "supported_algorithms_uas = SHA-256,MD5" if sha256 else ""
    pjsip = PJSIP.format(trunks=trunks, seats=seats, centre=centre, password=PASSWORD, algorithms=algorithms)
    return {"pjsip.conf": pjsip, "extensions.conf": EXTENSIONS}
