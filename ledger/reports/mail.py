"""A report by mail. One job: one message to one SMTP server, with what it needs to be let in."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path
from typing import Final

SECONDS: Final = 30.0
"""A server that takes longer has not taken it."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed over."""

    host: str
    port: int = 25
    security: str = "starttls"
    """``starttls``, ``tls`` from the first byte, or ``none``."""
    sender: str = ""
    user: str = ""
    """Empty: without signing in."""
    password_file: Path | None = None
    ca_file: Path | None = None
    """Who signed the server's certificate; None: whom this machine trusts."""


@dataclass(frozen=True, slots=True)
class Attachment:
    name: str
    type: str
    """E.g. ``application/pdf``."""
    data: bytes


class MailRefused(OSError):
    """The message was not handed over; the text says why, in Chinese."""


def send(server: MailServer, to: Sequence[str], subject: str, text: str, attachments: Sequence[Attachment]) -> None:
    """Hand a message over. Blocks for up to half a minute. Raises MailRefused."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = server.sender, ", ".join(to), subject
    message["Date"], message["Message-ID"] = formatdate(), make_msgid(domain=server.sender.rpartition("@")[2] or None)
    message.set_content(text)
    for attachment in attachments:
        kind, _, sub = attachment.type.partition("/")
        message.add_attachment(attachment.data, maintype=kind, subtype=sub, filename=attachment.name)
    try:
        _submit(server, message)
    except smtplib.SMTPAuthenticationError:
        raise MailRefused("邮件服务器拒绝登录；请核对 smtp_user 和 smtp_password_file") from None
    except smtplib.SMTPNotSupportedError:
        raise MailRefused("邮件服务器不支持 STARTTLS 或登录；请核对 smtp_security") from None
    except smtplib.SMTPServerDisconnected:
        raise MailRefused(f"邮件服务器 {server.host}:{server.port} 断开了连接；请核对端口和 smtp_security") from None
    except smtplib.SMTPException as error:
        raise MailRefused(f"邮件服务器不收（{_reply(error)}）；请核对 smtp_from 和 report_mail_to") from None
    except ssl.SSLError as error:
        raise MailRefused(f"与邮件服务器的加密没有建立（{error.reason}）；请核对 smtp_security 和证书") from None
    except OSError as error:
        reason = error.strerror or "没有应答"
        raise MailRefused(f"连不上邮件服务器 {server.host}:{server.port}（{reason}）") from None


def _submit(server: MailServer, message: EmailMessage) -> None:
    trusted = ssl.create_default_context(cafile=None if server.ca_file is None else str(server.ca_file))
    if server.security == "tls":
        link: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=SECONDS, context=trusted)
    else:
        link = smtplib.SMTP(server.host, server.port, timeout=SECONDS)
    with link:
        if server.security == "starttls":
            link.starttls(context=trusted)
        if server.user:
            link.login(server.user, server.password_file.read_text("utf-8").strip() if server.password_file else "")
        link.send_message(message)


def _reply(error: smtplib.SMTPException) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        text = error.smtp_error.decode("utf-8", "replace") if isinstance(error.smtp_error, bytes) else error.smtp_error
        return f"{error.smtp_code} {text}"[:120]
    return str(error)[:120] or type(error).__name__
