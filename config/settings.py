"""The settings of one instance: environment ``HOTLINE_*`` over ``hotline.toml`` over defaults.

One job: read, check and explain them, all faults at once. It opens no port and makes no folder.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from ledger.measures import Aims
from ledger.push_address import Allowed, fault
from ledger.reports.mail import MailServer
from ledger.reports.model import By
from ledger.reports.plan import Plan
from telephony.model import EMERGENCY_NUMBERS, NODE_ID
from users.model import Policy, Role

ROOT: Final = Path(__file__).resolve().parent.parent
"""Where the project lies; relative paths in the settings count from here."""

PREFIX: Final = "HOTLINE_"
MIN_RTP_PORTS: Final = 100
"""Two ports per leg, two legs per talk, and a third of slack: fewer would not carry twenty talks."""

MAX_SOCKET_PATH: Final = 107
"""Bytes of a Unix socket's path on Linux (``sun_path`` less its NUL); the console socket of Asterisk is the longest."""

_PLAIN_PATH: Final = re.compile(r"/[\w./@+-]*")
"""Paths go into Asterisk's files, where blanks, commas, semicolons, quotes and dollars have a meaning."""

_INTERFACE: Final = re.compile(rf"({'|'.join(EMERGENCY_NUMBERS)})=https?://\S+")
_CALLER_KEY: Final = re.compile(rf"([0-9*#](=({'|'.join(EMERGENCY_NUMBERS)}))?)?")

_EXAMPLES: Final[Mapping[str, str]] = {
    "data_dir": '"var" 或 "/srv/hotline"',
    "database_url": '"postgresql+asyncpg://hotline:密码@127.0.0.1:5432/hotline"',
    "bind": '"127.0.0.1"',
    "sip_port": "5060",
    "seat_sip_port": "5062",
    "control_port": "8081",
    "asterisk_http_port": "8088",
    "web_bind": '"127.0.0.1"',
    "http_port": "8080",
    "web_cert": '"/etc/hotline/web.crt"',
    "web_key": '"/etc/hotline/web.key"',
    "web_origin": '"https://12345.example"',
    "trusted_proxies": '"10.0.0.5 192.168.7.0/24"',
    "page_phones": "true",
    "health_bind": '"127.0.0.1"',
    "health_port": "8082",
    "ami_port": "5038",
    "fastagi_port": "4573",
    "rtp_start": "26000",
    "rtp_end": "31999",
    "node": '"hl1"',
    "ask_seconds": "3.0",
    "wait_slice_seconds": "10",
    "answer_seconds": "15",
    "answer_percent": "95",
    "short_abandon_seconds": "5",
    "duty_ring_seconds": "25",
    "seat_silence_seconds": "20",
    "centre_ring_seconds": "30",
    "centre_parallel_seconds": "0",
    "centre_silence_seconds": "20",
    "caller_silence_seconds": "90",
    "centre_push": '"110=https://10.0.0.110/12345"',
    "centre_push_drills": '"110 119"',
    "push_http": '"10.0.0.110"',
    "push_local": "false",
    "report_daily": '"half-hour number"',
    "report_monthly": '"number group agent"',
    "report_hour": "7",
    "report_folder": '"/srv/hotline/reports"',
    "report_mail_to": '"zhuren@12345.example"',
    "smtp_host": '"mail.12345.example"',
    "smtp_port": "587",
    "smtp_security": '"starttls"',
    "smtp_from": '"hotline@12345.example"',
    "smtp_user": '"hotline"',
    "smtp_password_file": '"/etc/hotline/smtp.password"',
    "caller_centre_key": '"*" 或 "*=110"',
    "consult_back_key": '"*00"',
    "consult_leave_key": '"*01"',
    "consult_join_key": '"*03"',
    "publish_approval": "false",
    "one_time_password_hours": "72",
    "second_factor_roles": '"admin supervisor auditor"',
    "roles_may_mix": "false",
    "looks_per_minute": "10",
    "looks_per_day": "300",
    "searches_per_minute": "20",
    "searches_per_day": "300",
    "second_person": "true",
    "publish_before_prompts": "true",
    "sign_in_without_engine": "true",
    "phone_shows": '"masked"',
    "backup_dir": '"/srv/backup/hotline"',
    "backup_recipient": '"age1…"（hotline backup key 打印的公钥）',
    "backup_recordings": "true",
    "backup_keep": "30",
    "backup_max_age_hours": "26",
    "timezone": '"Asia/Shanghai"',
    "city": '"揭阳"',
}

_REASONS: Final[Mapping[str, str]] = {
    "extra_forbidden": "没有这个设置项",
    "int_parsing": "应为整数",
    "int_type": "应为整数",
    "int_from_float": "应为整数",
    "float_parsing": "应为数字",
    "float_type": "应为数字",
    "bool_parsing": "应为 true 或 false",
    "bool_type": "应为 true 或 false",
    "string_type": "应为带引号的文字",
    "path_type": "应为带引号的路径",
    "greater_than_equal": "不能小于 {ge}",
    "less_than_equal": "不能大于 {le}",
}

TCP_PORTS: Final = ("control_port", "http_port", "asterisk_http_port", "ami_port", "fastagi_port")
UDP_PORTS: Final = ("sip_port", "seat_sip_port")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong in the settings."""

    where: str
    """Where it was set: ``环境变量 HOTLINE_SIP_PORT`` or ``hotline.toml 的 sip_port``."""
    value: str
    reason: str
    example: str = ""

    def __str__(self) -> str:
        shown = f" = {self.value}" if self.value else ""
        example = f"；例如 {self.example}" if self.example else ""
        return f"{self.where}{shown}：{self.reason}{example}"


class SettingsError(Exception):
    """The settings cannot be used; carries every fault, its text lists them all."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        lines = "\n".join(f"  - {fault}" for fault in faults)
        super().__init__(f"设置有 {len(faults)} 处错误，请改正后重试：\n{lines}")
        self.faults = faults


def _absolute(path: Path) -> Path:
    return Path(os.path.normpath(ROOT / path.expanduser()))


Port = Annotated[int, Field(ge=1, le=65535)]
Folder = Annotated[Path, AfterValidator(_absolute)]


class Settings(BaseModel):
    """What one instance is told. :func:`load_settings` reads it and checks the whole; frozen."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    data_dir: Folder = ROOT / "var"
    database_url: str = ""
    """Filled in from ``data_dir`` when empty."""
    bind: str = "127.0.0.1"
    """Where SIP listens. Control API, AMI, FastAGI and Asterisk's HTTP stay on loopback whatever this says."""
    sip_port: Port = 5060
    """Trunks, UDP."""
    seat_sip_port: Port = 5062
    """Seats' phones, UDP."""
    control_port: Port = 8081
    """The control API of the ``hotline`` command, TCP, loopback only."""
    web_bind: str = "127.0.0.1"
    """Where browsers come in. Anything but loopback needs ``web_cert``, or a proxy with TLS named in ``web_origin``."""
    http_port: Port = 8080
    """The console: pages and API for browsers and programs, with users, rights and sessions; TCP."""
    web_cert: str = ""
    """File with the certificate and its chain, PEM; empty: no TLS here."""
    web_key: str = ""
    """File with its key, PEM."""
    web_origin: str = ""
    """How browsers call this site when a proxy stands in front, e.g. ``https://12345.example``; empty: none does."""
    trusted_proxies: str = ""
    """Addresses and networks of proxies whose ``X-Forwarded-For`` is believed, separated by blanks; empty: none."""
    asterisk_http_port: Port = 8088
    """Asterisk's WebSocket for softphones in the browser, TCP; only the console's listener connects to it."""
    page_phones: bool = True
    """Agents may have their phone in the browser. Off: Asterisk opens no WebSocket and knows no such phones."""
    health_bind: str = "127.0.0.1"
    """Where ``/livez`` and ``/readyz`` are answered, without a token."""
    health_port: Annotated[int, Field(ge=0, le=65535)] = 8082
    """Their port, TCP; 0: nowhere."""
    ami_port: Port = 5038
    fastagi_port: Port = 4573
    rtp_start: Annotated[int, Field(ge=1024, le=65534)] = 26000
    rtp_end: Annotated[int, Field(ge=1025, le=65535)] = 31999
    node: str = "hl1"
    """This switch's name in every call id: lower-case letters and digits."""
    ask_seconds: Annotated[float, Field(ge=0.5, le=10)] = 3.0
    """The longest the dialplan waits for an answer of the engine before it helps itself."""
    wait_slice_seconds: Annotated[int, Field(ge=2, le=60)] = 10
    """How often a waiting caller's dialplan asks again."""
    answer_seconds: Annotated[float, Field(ge=1, le=600)] = 15
    """The city's aim: an answer within so many seconds (GB/T 33358-2016 asks for 15)."""
    answer_percent: Annotated[float, Field(ge=1, le=99.9)] = 95
    """The city's aim: of so many of a hundred callers (GB/T 33358-2016 asks for a connection rate of 95)."""
    short_abandon_seconds: Annotated[float, Field(ge=0, le=60)] = 5
    """Who hangs up this soon is counted apart. Ours, not a standard's."""
    duty_ring_seconds: Annotated[int, Field(ge=5, le=120)] = 25
    """How long a duty phone (值班电话) may ring before the next one is tried. Ours, not a standard's."""
    seat_silence_seconds: Annotated[int, Field(ge=0, le=300)] = 20
    """A desk phone in a talk that sends no sound at all for so long is dead, and its caller first in line; 0: never,
    for phones that send nothing while nobody speaks."""
    centre_ring_seconds: Annotated[int, Field(ge=5, le=120)] = 30
    """How long a trunk of an emergency centre may ring before the next one is tried."""
    centre_parallel_seconds: Annotated[int, Field(ge=0, le=60)] = 0
    """After so long all trunks of the centre ring at once; 0: one after the other."""
    centre_silence_seconds: Annotated[int, Field(ge=0, le=300)] = 20
    """A centre that sends no sound at all for so long is given up for its next trunk; 0: never."""
    caller_silence_seconds: Annotated[int, Field(ge=0, le=3600)] = 90
    """A call from which the carrier sends no packet at all for so long, waiting or talking, has lost its other end; 0:
    never, for carriers that send nothing while nobody speaks."""
    centre_push: str = ""
    """Data interfaces of centres: ``110=https://… 119=https://…``, separated by blanks; empty: none."""
    centre_push_drills: str = ""
    """Centres of ``centre_push`` whose data interface knows drills and takes part in them; empty: none."""
    push_http: str = ""
    """Hosts to which data may be pushed without TLS, separated by blanks; empty: none."""
    report_daily: str = ""
    """What yesterday's reports tell apart, each morning: ``half-hour number …``, separated by blanks; empty: none."""
    report_monthly: str = ""
    """The same of the last month, on the first."""
    report_hour: Annotated[int, Field(ge=0, le=23)] = 7
    """From this hour on, on the city's clock."""
    report_folder: str = ""
    """Where they lie; empty: ``reports`` in the data folder."""
    report_mail_to: str = ""
    """Whom they are sent to, separated by blanks; empty: nobody."""
    smtp_host: str = ""
    """The mail server; empty: no mail."""
    smtp_port: Port = 587
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    smtp_from: str = ""
    smtp_user: str = ""
    """Empty: without signing in."""
    smtp_password_file: str = ""
    """File with its password, readable for us alone."""
    push_local: bool = False
    """Data may be pushed to this machine's own addresses: for the demo and for trying out."""
    caller_centre_key: str = ""
    """The key by which a caller asks for an emergency centre, in the greeting or while waiting; empty: none."""
    consult_back_key: str = "*00"
    """What an agent presses while consulting a partner (咨询): the partner is let go, the caller is back."""
    consult_leave_key: str = "*01"
    """The agent leaves, caller and partner are together; hanging up does the same."""
    consult_join_key: str = "*03"
    """The caller joins the two."""
    publish_approval: bool = False
    """A second person must approve a routing table before it is published; rollbacks never wait."""
    one_time_password_hours: Annotated[int, Field(ge=1, le=720)] = 72
    """How long a password that an admin gave can be used to choose one's own."""
    second_factor_roles: str = ""
    """Roles whose users must have a second factor (动态口令), separated by blanks; empty: nobody must."""
    roles_may_mix: bool = False
    """Admin, supervisor and auditor may be one person."""
    second_person: bool = True
    """Supervisors, auditors, admins, and tokens that open numbers or recordings, are made by two."""
    looks_per_minute: Annotated[int, Field(ge=1, le=1000)] = 10
    """How many numbers and recordings one user or program may open in a minute."""
    looks_per_day: Annotated[int, Field(ge=1, le=100_000)] = 300
    searches_per_minute: Annotated[int, Field(ge=1, le=1000)] = 20
    """How many searches by a caller's number one user or program may make in a minute."""
    searches_per_day: Annotated[int, Field(ge=1, le=100_000)] = 300
    publish_before_prompts: bool = True
    """A table with very many new prompts of old numbers takes effect before all of them are spoken; until then their
    callers hear the greeting. Off: it waits for the last of them."""
    sign_in_without_engine: bool = True
    """*11 brings a seat on duty, unproven, while no engine is there to check a PIN. Off: nobody new then."""
    phone_shows: Literal["masked", "call", "number"] = "masked"
    """What a desk phone shows of who calls: the masked number (138****4001), the call's id, or the number. One that is
    withheld is anonymous whatever this says; a phone in the page shows the call's id."""
    backup_dir: str = ""
    """Where ``hotline backup`` keeps backups, best on another machine's disk; empty: the command must be told."""
    backup_recipient: str = ""
    """Public age key (``age1…``) for which backups are encrypted; empty: they are not."""
    backup_recordings: bool = True
    """Recordings belong into backups."""
    backup_keep: Annotated[int, Field(ge=0, le=10_000)] = 0
    """How many backups stay; 0: all of them."""
    backup_max_age_hours: Annotated[int, Field(ge=0, le=8760)] = 0
    """An alarm when the last good backup is older; 0: never."""
    timezone: str = "Asia/Shanghai"
    city: str = "揭阳"
    """The city's short name, as the greeting says it."""

    @field_validator("data_dir")
    @classmethod
    def _plain_data_dir(cls, path: Path) -> Path:
        if not _PLAIN_PATH.fullmatch(str(path)):
            raise ValueError("路径里只能有文字、数字和 . _ - + @（Asterisk 的配置文件不认其他符号）")
        longest = len(os.fsencode(path / "run" / "asterisk.ctl"))
        if longest > MAX_SOCKET_PATH:
            raise ValueError(f"路径太长：其下的 run/asterisk.ctl 有 {longest} 字节，系统最多允许 {MAX_SOCKET_PATH}")
        return path

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, url: str, info: ValidationInfo) -> str:
        if not url:
            folder = info.data.get("data_dir", ROOT / "var")
            return f"sqlite+aiosqlite:///{folder}/hotline.db"
        if url.partition("://")[0].partition("+")[0] not in ("sqlite", "postgresql", "postgres"):
            raise ValueError("只支持 SQLite 与 PostgreSQL 的地址")
        return url

    @field_validator("bind", "web_bind", "health_bind")
    @classmethod
    def _address(cls, bind: str) -> str:
        try:
            ip_address(bind)
        except ValueError:
            raise ValueError("应为本机的 IP 地址") from None
        return bind

    @field_validator("node")
    @classmethod
    def _node_id(cls, node: str) -> str:
        if not NODE_ID.fullmatch(node):
            raise ValueError("只能有小写字母和数字，最多 12 个")
        return node

    @field_validator("caller_centre_key")
    @classmethod
    def _a_key(cls, key: str) -> str:
        if not _CALLER_KEY.fullmatch(key):
            raise ValueError("应为空（不用）、一个键（再选择中心），或 一个键=110（直接接通）")
        return key

    @field_validator("consult_back_key", "consult_leave_key", "consult_join_key")
    @classmethod
    def _consult_key(cls, key: str, info: ValidationInfo) -> str:
        if not re.fullmatch(r"\*0[0-9]", key):
            raise ValueError("应为 * 0 和一位数字：别的键是应急中心和协作单位的")
        if key in [info.data.get(name) for name in ("consult_back_key", "consult_leave_key") if name in info.data]:
            raise ValueError("三个咨询键不能相同")
        return key

    @field_validator("centre_push")
    @classmethod
    def _interfaces(cls, told: str) -> str:
        if not all(_INTERFACE.fullmatch(one) for one in told.split()):
            raise ValueError("应为 中心号码=网址，多个用空格分开")
        return told

    @field_validator("report_daily", "report_monthly")
    @classmethod
    def _reports(cls, text: str) -> str:
        if not set(text.split()) <= {by.value for by in By}:
            raise ValueError(f"应为 {'、'.join(By)} 中的几个，用空格分开")
        return text

    @field_validator("report_mail_to", "smtp_from")
    @classmethod
    def _mail(cls, text: str) -> str:
        if not all(re.fullmatch(r"[!-?A-~]+@[A-Za-z0-9.-]+", item) for item in text.split()):
            raise ValueError("应为邮件地址，多个用空格分开")
        return text

    @field_validator("push_http")
    @classmethod
    def _hosts(cls, text: str) -> str:
        if not all(re.fullmatch(r"[A-Za-z0-9.:-]+", item) for item in text.split()):
            raise ValueError("应为主机名或地址，多个用空格分开，不带 http://")
        return text

    @field_validator("centre_push_drills")
    @classmethod
    def _centres(cls, told: str) -> str:
        if not set(told.split()) <= set(EMERGENCY_NUMBERS):
            raise ValueError(f"应为 {'、'.join(EMERGENCY_NUMBERS)} 中的几个，用空格分开")
        return told

    @field_validator("web_origin")
    @classmethod
    def _origin(cls, origin: str) -> str:
        if not re.fullmatch(r"(https?://[a-z0-9.-]+(:\d{1,5})?)?", origin):
            raise ValueError("应为空，或浏览器地址栏里的 协议://主机名，小写，不带末尾的斜杠")
        return origin

    @field_validator("second_factor_roles")
    @classmethod
    def _roles(cls, told: str) -> str:
        if not set(told.split()) <= {role.value for role in Role}:
            raise ValueError(f"应为 {'、'.join(role.value for role in Role)} 中的几个，用空格分开")
        return told

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, told: str) -> str:
        try:
            found = [ip_network(one) for one in told.split()]
        except ValueError:
            raise ValueError("应为代理的 IP 地址或网段，多个用空格分开") from None
        if any(one.prefixlen == 0 for one in found):
            raise ValueError("不能相信所有地址：那样谁都可以冒充任何来处；请只写代理的地址")
        return told

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("没有这个时区") from None
        return name

    @field_validator("city")
    @classmethod
    def _chinese_name(cls, name: str) -> str:
        if not re.fullmatch("[\u4e00-\u9fff]{1,10}", name):
            raise ValueError("应为 1 到 10 个汉字，因为要读给来电人听")
        return name

    @property
    def aims(self) -> Aims:
        """What the hotline is measured against."""
        return Aims(self.answer_seconds, self.answer_percent, self.short_abandon_seconds)

    @property
    def policy(self) -> Policy:
        """What the city has decided about its users."""
        return Policy(
            one_time=timedelta(hours=self.one_time_password_hours),
            second_factor=frozenset(map(Role, self.second_factor_roles.split())),
            mixed_roles=self.roles_may_mix,
            second_person=self.second_person,
        )

    @property
    def push_urls(self) -> Mapping[str, str]:
        """Centre to the address of its data interface."""
        return dict(one.split("=", 1) for one in self.centre_push.split())

    @property
    def report_plan(self) -> Plan:
        """Which reports come by themselves, and to whom."""
        server = MailServer(
            self.smtp_host,
            self.smtp_port,
            self.smtp_security,
            self.smtp_from,
            self.smtp_user,
            Path(self.smtp_password_file) if self.smtp_password_file else None,
        )
        return Plan(
            Path(self.report_folder) if self.report_folder else self.data_dir / "reports",
            tuple(map(By, self.report_daily.split())),
            tuple(map(By, self.report_monthly.split())),
            self.report_hour,
            tuple(self.report_mail_to.split()),
            server if self.smtp_host else None,
        )

    @property
    def push_allowed(self) -> Allowed:
        """Where data may be pushed to."""
        return Allowed(frozenset(self.push_http.split()), self.push_local)

    @property
    def push_drills(self) -> frozenset[str]:
        """Centres whose data interface is told of drills."""
        return frozenset(self.centre_push_drills.split()) & self.push_urls.keys()

    @property
    def web_secure(self) -> bool:
        """Browsers come by TLS, here or at a proxy in front."""
        return bool(self.web_cert) or self.web_origin.startswith("https://")

    @property
    def zone(self) -> ZoneInfo:
        """The city's clock."""
        return ZoneInfo(self.timezone)

    @property
    def log_dir(self) -> Path:
        """Log files of the supervisor's children."""
        return self.data_dir / "log"

    @property
    def run_dir(self) -> Path:
        """Pid files, locks and sockets."""
        return self.data_dir / "run"

    @property
    def snapshot_file(self) -> Path:
        """The last published routing table, for the last-resort script."""
        return self.data_dir / "snapshot.json"


def config_file() -> Path:
    """The settings file: ``HOTLINE_CONFIG``, else ``hotline.toml`` at the project's root. It need not exist."""
    named = os.environ.get(f"{PREFIX}CONFIG", "")
    return _absolute(Path(named)) if named else ROOT / "hotline.toml"


def load_settings() -> Settings:
    """Read the settings of this process. Raises SettingsError with every fault found."""
    given = _from_file(config_file()) | _from_environment()
    try:
        settings = Settings.model_validate(given)
    except ValidationError as error:
        bad = {str(detail["loc"][0]) for detail in error.errors()}
        # The rest is checked with the bad ones at their defaults, so that one run tells every fault.
        rest = Settings.model_validate({key: value for key, value in given.items() if key not in bad})
        faults = [_fault(detail) for detail in error.errors()]
        faults += [fault for keys, fault in _cross_faults(rest) if not bad.intersection(keys)]
        raise SettingsError(tuple(faults)) from None
    crossed = tuple(fault for _, fault in _cross_faults(settings))
    if crossed:
        raise SettingsError(crossed)
    return settings


def _from_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if not os.environ.get(f"{PREFIX}CONFIG"):
            return {}
        fault = Fault(f"环境变量 {PREFIX}CONFIG", str(path), "没有这个文件；请建立它，或取消这个环境变量")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        fault = Fault(str(path), "", f"不是正确的 TOML（{error}）", "sip_port = 5060")
    except OSError as error:
        fault = Fault(str(path), "", f"读不了这个文件（{error.strerror}）；请检查权限")
    raise SettingsError((fault,))


def _variable(key: str) -> str:
    return f"{PREFIX}{key.upper()}"


def _from_environment() -> dict[str, Any]:
    """Our variables; an empty one counts as not set, other ``HOTLINE_`` variables are not ours to judge."""
    return {key: os.environ[_variable(key)] for key in Settings.model_fields if os.environ.get(_variable(key))}


def _where(key: str) -> str:
    return f"环境变量 {_variable(key)}" if os.environ.get(_variable(key)) else f"{config_file().name} 的 {key}"


def _fault(detail: Any) -> Fault:
    key = ".".join(str(part) for part in detail["loc"])
    context = detail.get("ctx", {})
    reason = (
        str(context["error"]) if "error" in context else _REASONS.get(detail["type"], detail["msg"]).format(**context)
    )
    if detail["type"] == "extra_forbidden":
        reason += f"；可用的有 {'、'.join(Settings.model_fields)}"
    return Fault(_where(key), _shown(key, detail["input"]), reason, _EXAMPLES.get(key, ""))


def _shown(key: str, value: object) -> str:
    """The value for a human, without a database's password."""
    text = str(value)
    if key == "database_url":
        text = re.sub(r"(://[^/@]*?):[^/]*@", r"\1:***@", text)
    return repr(text) if isinstance(value, str) else text


def _outward_faults(settings: Settings) -> Iterator[tuple[tuple[str, ...], Fault]]:
    """Of what leaves for others: mail and pushed data."""
    if settings.report_mail_to and not (settings.smtp_host and settings.smtp_from):
        reason = "写了 report_mail_to 就要写 smtp_host 和 smtp_from"
        missing = "smtp_host" if not settings.smtp_host else "smtp_from"
        yield (missing,), Fault(_where(missing), "", reason, _EXAMPLES[missing])
    for target, url in settings.push_urls.items():
        if wrong := fault(url, settings.push_allowed):
            example = _EXAMPLES["centre_push"]
            yield ("centre_push",), Fault(_where("centre_push"), f"{target}={url}", wrong, example)


def _cross_faults(settings: Settings) -> Iterator[tuple[tuple[str, ...], Fault]]:
    """Faults between settings, each with the keys it is about."""
    for group, protocol in ((TCP_PORTS, "TCP"), (UDP_PORTS, "UDP")):
        seen: dict[int, str] = {}
        for key in group:
            port = getattr(settings, key)
            if port in seen:
                reason = f"与 {seen[port]} 用了同一个 {protocol} 端口，请换一个"
                yield (key, seen[port]), Fault(_where(key), str(port), reason, _EXAMPLES[key])
            seen.setdefault(port, key)
        if protocol == "TCP" and (other := seen.get(settings.health_port)) is not None:
            reason = f"与 {other} 用了同一个 TCP 端口，请换一个"
            yield ("health_port", other), Fault(_where("health_port"), str(settings.health_port), reason, "8082")
    yield from _outward_faults(settings)
    if bool(settings.web_cert) != bool(settings.web_key):
        missing, there = ("web_key", "web_cert") if settings.web_cert else ("web_cert", "web_key")
        yield (missing, there), Fault(_where(missing), "", f"写了 {there} 就要写 {missing}", _EXAMPLES[missing])
    if not ip_address(settings.web_bind).is_loopback and not settings.web_secure:
        reason = "不是本机地址就必须用 TLS：请写 web_cert 和 web_key，或用 web_origin 写明前面的 https 代理"
        yield ("web_bind",), Fault(_where("web_bind"), settings.web_bind, reason, _EXAMPLES["web_bind"])
    start, end = settings.rtp_start, settings.rtp_end
    span = ("rtp_start", "rtp_end")
    if start % 2:
        yield (
            ("rtp_start",),
            Fault(_where("rtp_start"), str(start), "应为偶数（RTP 用偶数端口）", _EXAMPLES["rtp_start"]),
        )
    if end - start + 1 < MIN_RTP_PORTS:
        reason = f"与 rtp_start = {start} 之间不足 {MIN_RTP_PORTS} 个端口（一路通话用 4 个）"
        yield span, Fault(_where("rtp_end"), str(end), reason, str(start + 5999 if start <= 59000 else 65535))
    for key in UDP_PORTS:
        port = getattr(settings, key)
        if start <= port <= end:
            yield (
                (key, *span),
                Fault(_where(key), str(port), f"落在 RTP 端口 {start}–{end} 之内，请换一个", _EXAMPLES[key]),
            )
