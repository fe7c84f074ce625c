"""The configuration as a whole: a pure function, safe against what an admin writes."""

from __future__ import annotations

from configparser import ConfigParser
from dataclasses import replace
from pathlib import Path

import pytest

from asterisk_conf.modules import MODULES, PAGE_MODULES
from asterisk_conf.render import EVENTS, UNDELIVERED, UNHEARD, render
from routing.model import Snapshot, Trunk
from telephony.model import GroupId
from tests.unit.asterisk_conf.plans import TABLE, plan

pytestmark = pytest.mark.unit

FILES = render(plan())
PSTN = TABLE.trunks["pstn"]


def test_the_same_plan_gives_the_same_text() -> None:
    assert render(plan()) == FILES
    assert list(render(plan())) == list(FILES)


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_file_is_whole(name: str) -> None:
    text = FILES[name]
    assert text.endswith("\n")
    assert "{{" not in text
    assert "{%" not in text
    assert "{#" not in text
    assert "= None" not in text


@pytest.mark.parametrize("name", sorted(name for name in FILES if name.endswith(".conf") and "ext" not in name))
def test_a_file_is_sections_of_keys_and_values(name: str) -> None:
    section = False
    for number, line in enumerate(FILES[name].splitlines(), 1):
        if not line.strip() or line.lstrip().startswith(";"):
            continue
        if line.startswith("["):
            assert "]" in line
            section = True
            continue
        assert section, f"{name}:{number} stands before any section"
        assert "=" in line, f"{name}:{number} is neither section nor setting"


def test_nothing_but_loopback_for_what_commands_the_switch() -> None:
    text = FILES["etc/manager.conf"]
    assert "bindaddr = 127.0.0.1" in text
    assert "permit = 127.0.0.1/255.255.255.255" in text
    assert "bindaddr = 127.0.0.1" in render(plan(bind="0.0.0.0"))["etc/manager.conf"]  # noqa: S104
    assert "agi://127.0.0.1:4573/" in render(plan(bind="0.0.0.0"))["etc/extensions.conf"]  # noqa: S104
    assert "live_dangerously = no" in FILES["etc/asterisk.conf"]
    assert "127.0.0.1" in FILES["etc/http.conf"]


def test_only_the_modules_and_events_that_are_named() -> None:
    modules = FILES["etc/modules.conf"]
    assert "autoload = no" in modules
    assert modules.count("\nload = ") == len({*MODULES, *PAGE_MODULES}) == len(MODULES) + len(PAGE_MODULES)
    manager = FILES["etc/manager.conf"]
    assert manager.count("eventfilter(") == len(EVENTS) == len(set(EVENTS))
    assert "eventfilter(action(include),name(DialState),header(Context),method(starts_with)) = dial-\n" in manager


def test_what_nobody_hears_is_not_even_made() -> None:
    stasis = FILES["etc/stasis.conf"]
    assert stasis.count("\ndecline = ") == len(UNDELIVERED) == len(set(UNDELIVERED))
    assert set(UNHEARD).isdisjoint(EVENTS)
    for needed in ("ast_channel_snapshot_type", "ast_channel_dial_type", "ast_device_state_message_type"):
        assert needed not in stasis


def test_every_seat_has_its_own_password_and_every_group_its_queue() -> None:
    pjsip, queues = FILES["etc/pjsip.conf"], FILES["etc/queues.conf"]
    for seat in TABLE.seats:
        assert pjsip.count(f"password = made-up-{seat}\n") == 1
    for group in TABLE.groups:
        assert f"[group-{group}](net)" in queues
    assert "[duty](net)" in queues


def test_the_last_resort_is_quoted_for_the_shell() -> None:
    assert "'/srv/a folder/last_resort.py'" in FILES["agi-bin/last-resort"]


def test_cel_remembers_calls_below_the_home() -> None:
    assert "/srv/hotline/asterisk/cel" in FILES["etc/cel_custom.conf"]


def with_trunk(trunk: Trunk) -> Snapshot:
    return replace(TABLE, trunks={**TABLE.trunks, trunk.id: trunk})


def with_group(name: str) -> Snapshot:
    general = TABLE.groups[TABLE.default_group]
    return replace(TABLE, groups={**TABLE.groups, GroupId(name): replace(general, id=GroupId(name))})


EVIL = ("", "a b", "a\n[x]", "a;b", "a,b", "${X}", "x]", "../x", "a" * 300, "号")


@pytest.mark.parametrize("text", EVIL)
def test_an_id_that_could_be_syntax_is_refused(text: str) -> None:
    for snapshot in (
        with_group(text),
        with_trunk(replace(PSTN, id=text)),
        with_trunk(replace(PSTN, host=text)),
        replace(TABLE, seats=(text,)),
    ):
        with pytest.raises(ValueError, match="must match"):
            render(plan(snapshot=snapshot, seat_passwords={text: "x"}))


@pytest.mark.parametrize("text", ["1,n,System(id)", "1@x", "1\nexten = x", "${X}", "x", "1" * 40])
def test_a_trunk_s_number_that_could_be_syntax_is_refused(text: str) -> None:
    for trunk in ("subcentre-12366", "emergency-110"):
        snapshot = with_trunk(replace(TABLE.trunks[trunk], number=text))
        with pytest.raises(ValueError, match="must match"):
            render(plan(snapshot=snapshot))


@pytest.mark.parametrize("text", ["a\n[evil]", "a\r\n[evil]", "a\rb", "a\x0bb\u2028c"])
def test_a_trunk_s_name_stays_in_its_comment(text: str) -> None:
    lines = render(plan(snapshot=with_trunk(replace(PSTN, name=text))))["etc/pjsip.conf"].splitlines()
    assert len(lines) == len(FILES["etc/pjsip.conf"].splitlines())
    assert "[evil]" not in lines


def test_a_plan_without_a_seat_s_password_is_refused() -> None:
    with pytest.raises(KeyError):
        render(plan(seat_passwords={}))


def test_the_folder_of_the_instance_is_the_only_difference_between_two() -> None:
    here, there = render(plan(Path("/srv/a"))), render(plan(Path("/srv/b")))
    assert {name: text.replace("/srv/a/", "/srv/b/") for name, text in here.items()} == there


def test_a_file_of_sections_reads_back() -> None:
    parser = ConfigParser(strict=False, delimiters=("=",), comment_prefixes=(";",), interpolation=None)
    parser.read_string(FILES["etc/rtp.conf"])
    assert parser["general"]["rtpstart"] == "26000"


def test_a_page_s_phone_is_an_endpoint_called_as_its_agent_and_its_password_is_in_no_file() -> None:
    text = FILES["etc/pjsip.conf"]
    for agent in TABLE.agents:
        assert f"[{agent}](page)" in text
    assert text.count("webrtc = yes") == 1, "in the template alone: desk phones have none of it"
    assert "password" not in text.partition("[page](!)")[2]
    assert "auth = astdb,page" in FILES["etc/sorcery.conf"]


def test_the_phone_of_the_test_call_can_dial_12345_alone_and_nothing_can_call_it() -> None:
    dialplan = FILES["etc/extensions.conf"].partition("[trial]\n")[2].partition("\n[")[0]
    dialled = {line.split("=")[1].split(",")[0].strip() for line in dialplan.splitlines() if line.startswith("exten =")}
    assert dialled == {"12345", "h"}
    assert "Gosub(ask,s,1(enter,fallback,,trial))" in dialplan
    phone = FILES["etc/pjsip.conf"].partition("[trial](browser)\n")[2].partition("\n[")[0]
    assert "context = trial" in phone
    assert "aors" not in phone


def test_a_seat_of_the_same_name_goes_first() -> None:
    same = replace(TABLE, seats=(*TABLE.seats, "1001"))
    text = render(plan(snapshot=same, seat_passwords=dict.fromkeys(same.seats, "made-up")))["etc/pjsip.conf"]
    assert "[1001](seat)" in text
    assert "[1001](page)" not in text


def test_a_message_reaches_nobody() -> None:
    """Outside a talk it must find no extension, or it would be a call; inside one its text is dropped."""
    pjsip, dialplan = FILES["etc/pjsip.conf"], FILES["etc/extensions.conf"]
    for template in ("[trunk](!)", "[seat](!)", "[browser](!)"):
        endpoint = pjsip.partition(f"\n{template}\n")[2].partition("\n[")[0]
        assert "\nmessage_context = no-messages\n" in endpoint, template
        assert "\nset_var = FRAME_DROP(RX)=TEXT,TEXT_DATA\n" in endpoint, template
    section = dialplan.partition("\n[no-messages]\n")[2].partition("\n[")[0]
    assert "exten =" not in section
    assert "\n[no-messages]\n" in dialplan


def test_asterisk_s_http_serves_this_machine_alone_and_nothing_but_the_websocket() -> None:
    text = render(plan(bind="0.0.0.0"))["etc/http.conf"]  # noqa: S104
    assert "bindaddr = 127.0.0.1" in text
    assert {"enable_static = no", "enable_status = no"} <= set(text.splitlines())
    assert not {"res_ari", "res_http_post", "res_phoneprov"} & {*MODULES, *PAGE_MODULES}
    assert "webenabled" not in FILES["etc/manager.conf"]


def test_without_phones_in_pages_nothing_of_theirs_is_there() -> None:
    files = render(plan(page_phones=False))
    assert "enabled = no" in files["etc/http.conf"]
    assert "icesupport = no" in files["etc/rtp.conf"]
    assert "astdb" not in files["etc/sorcery.conf"]
    assert not any(
        word in files[f"etc/{name}.conf"] for word in ("page", "webrtc", "trial") for name in ("pjsip", "extensions")
    )
    assert not any(module in files["etc/modules.conf"] for module in PAGE_MODULES)


def test_a_caller_alone_in_a_conference_hears_music() -> None:
    caller = render(plan())["etc/confbridge.conf"].partition("[caller]")[2].partition("[guest]")[0]
    assert "music_on_hold_when_empty = yes" in caller
    assert "music_on_hold_class = hotline" in caller
