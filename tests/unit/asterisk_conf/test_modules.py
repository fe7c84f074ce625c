"""Every module of the bundle that speaks SIP or carries media is loaded, or left out for a reason."""

from __future__ import annotations

import pytest

from asterisk_conf.bundle import installed_asterisk
from asterisk_conf.modules import MODULES, PAGE_MODULES, WIRE, WIRE_IN, WIRE_OUT

pytestmark = pytest.mark.unit


def test_no_module_of_the_bundle_is_neither_in_nor_out() -> None:
    asterisk = installed_asterisk()
    if asterisk is None:
        pytest.skip("no Asterisk here yet")
    brought = {path.stem for path in asterisk.modules_dir.glob("*.so")}
    assert brought, asterisk.modules_dir
    wire = {name for name in brought if WIRE.fullmatch(name)}
    assert wire - WIRE_IN.keys() - WIRE_OUT.keys() == set(), (
        "say for each in asterisk_conf/modules.py why it is in or out"
    )
    assert {*MODULES, *PAGE_MODULES} - brought == set(), "asked for, and not there"


def test_the_tables_hold_modules_of_that_kind_with_a_reason_and_no_module_twice() -> None:
    assert not WIRE_IN.keys() & WIRE_OUT.keys()
    for name, why in {**WIRE_IN, **WIRE_OUT}.items():
        assert WIRE.fullmatch(name), name
        assert why.strip(), name
    assert not {*MODULES, *PAGE_MODULES} & WIRE_OUT.keys()
    assert set(PAGE_MODULES) <= WIRE_IN.keys()


@pytest.mark.parametrize(
    "name", ["res_pjsip_t38", "res_pjsip_dlg_options", "res_pjsip_empty_info", "res_pjsip_messaging"]
)
def test_what_a_carrier_s_border_controller_needs_is_loaded(name: str) -> None:
    assert name in MODULES
