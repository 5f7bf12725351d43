"""Messages for people, by one template, to Slack and by mail."""

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate
from typing import NamedTuple

import msgspec

from llmeval.monitor.delivery import NotDelivered, post
from llmeval.suite.triggers_schema import NotifySpec, SmtpSpec

_TIMEOUT_S = 30.0


class AlarmMessage(NamedTuple):
    """What people should know. `changed`: what changed. `certainty`: how sure that is. `cost`: what
    it costs. `owner`: who decides. `link`: a page; empty without one.
    """

    subject: str
    changed: str
    certainty: str
    cost: str
    owner: str
    link: str = ""

    @property
    def text(self) -> str:
        """The message as plain text."""
        lines = [
            self.changed,
            f"How sure: {self.certainty}",
            f"Cost: {self.cost}",
            f"Decides: {self.owner}",
        ]
        return "\n".join([*lines, f"Page: {self.link}"] if self.link else lines)


def send_message(receiver: NotifySpec, identifier: str, subject: str, text: str) -> None:
    """Send a message once.

    Raises:
        NotDelivered: the receiver has not confirmed.
    """
    if receiver.slack is not None:
        # `&`, `<` and `>` are control characters of Slack's messages
        plain = f"{subject}\n{text}"
        for sign, written in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
            plain = plain.replace(sign, written)
        body = msgspec.json.encode({"text": plain})
        post(receiver.slack.get_secret_value(), {"content-type": "application/json"}, body)
    elif receiver.smtp is not None:
        _mail(receiver.smtp, identifier, subject, text)


def _mail(server: SmtpSpec, identifier: str, subject: str, text: str) -> None:
    mail = EmailMessage()
    mail["Subject"] = " ".join(subject.split())
    mail["From"], mail["To"] = server.sender, ", ".join(server.to)
    mail["Date"] = formatdate()
    mail["Message-ID"] = f"<{identifier}@llmeval.invalid>"
    mail.set_content(text)
    try:
        with smtplib.SMTP(server.host, server.port, timeout=_TIMEOUT_S) as connection:
            if server.tls:
                connection.starttls(context=ssl.create_default_context())
            if server.user is not None and server.password is not None:
                connection.login(server.user, server.password.get_secret_value())
            connection.send_message(mail)
    except (OSError, smtplib.SMTPException) as error:
        raise NotDelivered(f"{server.host}: {type(error).__name__}: {error}") from None
