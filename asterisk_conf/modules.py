"""Which of Asterisk's modules are loaded, and for everything that speaks SIP or carries media: why, or why not.

One job: the list. A module of that kind that the Asterisk at hand brings and neither table names fails a test, so that
a new release is read before it is run. docs/modules.md shows the tables.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

WIRE: Final = re.compile(
    r"(res|func|chan)_(.*_)?(pjsip|pjproject|hep|geolocation|stir_shaken|aeap)(_.*)?"
    r"|res_(rtp|srtp|speech_aeap|fax|stun|resolver|http_websocket|websocket|audiosocket|phoneprov|security|sorcery|crypto|timing)(_.*)?"
    r"|(chan|bridge)_.*"
)
"""The modules that must be in one of the two tables."""

WIRE_IN: Final[Mapping[str, str]] = {
    "bridge_builtin_features": "keys in a talk (DTMF features)",
    "bridge_holding": "a channel that waits in a bridge",
    "bridge_native_rtp": "two legs whose media needs no look pass it on at the least cost",
    "bridge_simple": "two legs",
    "bridge_softmix": "conferences of three and more",
    "chan_pjsip": "every call",
    "func_pjsip_aor": "the publish asks whether a phone or trunk is there",
    "func_pjsip_contact": "the publish asks for a trunk's address",
    "res_crypto": "keys of TLS and SRTP",
    "res_pjproject": "SIP itself",
    "res_pjsip": "SIP itself",
    "res_pjsip_acl": "deny and permit of an endpoint",
    "res_pjsip_authenticator_digest": "phones prove who they are",
    "res_pjsip_caller_id": "P-Asserted-Identity, Remote-Party-ID, Privacy",
    "res_pjsip_diversion": "by which number a call came, read and told to a centre",
    "res_pjsip_dlg_options": "OPTIONS in a talk is answered: how border controllers ask whether a call still stands",
    "res_pjsip_dtmf_info": "keys that come as INFO",
    "res_pjsip_empty_info": "an INFO without a body is answered: another sign of life",
    "res_pjsip_endpoint_identifier_ip": "trunks are known by address",
    "res_pjsip_endpoint_identifier_user": "phones are known by name and password",
    "res_pjsip_header_funcs": "headers of a call that the dialplan reads and writes",
    "res_pjsip_maintenance": "one trunk or phone can be given no new calls (503) while its talks go on",
    "res_pjsip_messaging": "MESSAGE is answered; its text goes to nobody (message_context, FRAME_DROP)",
    "res_pjsip_nat": "rewrite_contact and force_rport of phones",
    "res_pjsip_outbound_authenticator_digest": "trunks that ask us to prove who we are",
    "res_pjsip_path": "phones that register through a proxy",
    "res_pjsip_pubsub": "res_pjsip_refer needs it; SUBSCRIBE and PUBLISH are refused by it, with 489",
    "res_pjsip_refer": "a centre hands a citizen back (hand-over)",
    "res_pjsip_registrar": "REGISTER of phones",
    "res_pjsip_rfc3326": "Reason: why a call ended",
    "res_pjsip_sdp_rtp": "audio",
    "res_pjsip_session": "calls, session timers and re-INVITE included",
    "res_pjsip_t38": "an image line beside the audio is refused alone; without it the audio is silent",
    "res_pjsip_transport_websocket": "phones in browsers (only when there are any)",
    "res_http_websocket": "phones in browsers (only when there are any)",
    "res_rtp_asterisk": "audio",
    "res_security_log": "security events: wrong passwords, strangers",
    "res_sorcery_astdb": "registrations outlive a restart; passwords of phones in browsers",
    "res_sorcery_config": "pjsip.conf",
    "res_sorcery_memory": "what lives as long as the process",
    "res_srtp": "phones in browsers",
    "res_timing_timerfd": "the clock of prompts, music and conferences",
}

WIRE_OUT: Final[Mapping[str, str]] = {
    "bridge_builtin_interval_features": "time limits of a bridge: none is set",
    "chan_audiosocket": "no program takes part in the audio",
    "chan_bridge_media": "announcements of ARI: not used (ADR 0001)",
    "chan_console": "no sound card",
    "chan_iax2": "no such trunk; an open port more",
    "chan_motif": "no such trunk",
    "chan_rtp": "no audio without signalling",
    "chan_unistim": "no such phone; an open port more",
    "chan_websocket": "no program takes part in the audio",
    "func_pjsip_endpoint": "nothing asks for it",
    "res_aeap": "no engine of speech outside",
    "res_audiosocket": "no program takes part in the audio",
    "res_fax": "faxes are not received; an image line beside the audio is refused",
    "res_fax_spandsp": "faxes are not received",
    "res_geolocation": "Geolocation of the caller is not passed on; centres have their own",
    "res_hep": "no copy of the signalling leaves the machine",
    "res_hep_pjsip": "no copy of the signalling leaves the machine",
    "res_hep_rtcp": "no copy of the signalling leaves the machine",
    "res_phoneprov": "phones are not set up over Asterisk's HTTP: it would hand out passwords",
    "res_pjsip_aoc": "charges of a call are nobody's business here",
    "res_pjsip_config_wizard": "the configuration is generated",
    "res_pjsip_dialog_info_body_generator": "states of phones are seen on the page, not subscribed to",
    "res_pjsip_endpoint_identifier_anonymous": "strangers are nobody",
    "res_pjsip_exten_state": "states of phones are seen on the page, not subscribed to",
    "res_pjsip_geolocation": "Geolocation of the caller is not passed on",
    "res_pjsip_history": "messages would be kept in memory, callers' numbers in them",
    "res_pjsip_logger": "messages would be written to the log, callers' numbers in them",
    "res_pjsip_mwi": "no mailbox of Asterisk's",
    "res_pjsip_mwi_body_generator": "no mailbox of Asterisk's",
    "res_pjsip_notify": "no NOTIFY is sent to phones",
    "res_pjsip_one_touch_record_info": "every talk is recorded; no key of a phone starts or stops it",
    "res_pjsip_outbound_publish": "states are published to nobody",
    "res_pjsip_outbound_registration": "trunks are known by address; none asks us to register",
    "res_pjsip_phoneprov_provider": "as res_phoneprov",
    "res_pjsip_pidf_body_generator": "states of phones are seen on the page, not subscribed to",
    "res_pjsip_pidf_digium_body_supplement": "as above",
    "res_pjsip_pidf_eyebeam_body_supplement": "as above",
    "res_pjsip_publish_asterisk": "states are published to nobody",
    "res_pjsip_rfc3329": "security agreement of one carrier's access network",
    "res_pjsip_send_to_voicemail": "no mailbox of Asterisk's",
    "res_pjsip_sips_contact": "no SIPS transport",
    "res_pjsip_stir_shaken": "attestation of caller numbers: not in use in this country",
    "res_pjsip_xpidf_body_generator": "states of phones are seen on the page, not subscribed to",
    "res_resolver_unbound": "trunks are addresses, or names that the system resolves",
    "res_rtp_multicast": "no paging",
    "res_sorcery_memory_cache": "the configuration is in files, which need no cache",
    "res_sorcery_realtime": "no database of Asterisk's",
    "res_speech_aeap": "no engine of speech outside",
    "res_stir_shaken": "attestation of caller numbers: not in use in this country",
    "res_stun_monitor": "the address is set, not found out",
    "res_timing_pthread": "res_timing_timerfd is the better clock on Linux",
    "res_websocket_client": "Asterisk connects to nobody by WebSocket",
}

_OTHERS: Final = (
    *("res_musiconhold", "res_speech", "res_agi", "res_convert", "res_manager_devicestate"),
    *("codec_alaw", "codec_ulaw", "codec_resample", "format_pcm", "format_wav"),
    *("pbx_config", "app_dial", "app_queue", "app_playback", "app_read", "app_record", "app_stack", "app_mixmonitor"),
    *("app_userevent", "app_confbridge", "app_originate", "app_chanspy", "app_channelredirect", "app_exec"),
    *("app_verbose", "func_callerid", "func_channel", "func_cut", "func_db", "func_devstate", "func_dialplan"),
    *("func_env", "func_frame_drop", "func_global", "func_groupcount", "func_hangupcause", "func_lock"),
    *("func_logic", "func_md5", "func_rand"),
    *("func_strings", "func_timeout", "func_uri", "res_cdrel_custom", "cel_custom"),
)
"""What the dialplan and the ledger use."""

PAGE_MODULES: Final = ("res_http_websocket", "res_pjsip_transport_websocket")
"""For phones in browsers: SIP over Asterisk's own WebSocket."""

MODULES: Final = (*(name for name in WIRE_IN if name not in PAGE_MODULES), *_OTHERS)
"""The order is Asterisk's own business; the list is what a call touches, and nothing else."""


def table() -> str:
    """Both tables for docs/modules.md."""
    rows = sorted(WIRE_IN.items() | WIRE_OUT.items())
    lines = ["| module | loaded | why |", "|---|---|---|"]
    lines += [f"| `{name}` | {'yes' if name in WIRE_IN else 'no'} | {why} |" for name, why in rows]
    return "\n".join(lines) + "\n"
