"""Writing mails: a text and an HTML part from one pair of templates.

`NAME.txt.j2` begins with a line `Subject: …`, then an empty line, then the text; `NAME.html.j2` extends
`layout.html.j2`. Values are escaped in HTML; a value that a template names and nobody gave is an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined, TemplateError, select_autoescape

from autospot.domain.due import GiveUp
from autospot.domain.mail import VALUE_LENGTH, Mail

SUBJECT_LENGTH = 150


@dataclass(frozen=True, slots=True)
class MailText:
    """A mail as its reader sees it. `subject` is one line."""

    subject: str
    text: str
    html: str


class MailTexts:
    """The templates. `site` is where the pages are, for links."""

    def __init__(self, site: str) -> None:
        self._templates = Environment(
            loader=PackageLoader("autospot", "templates/mail"),
            autoescape=select_autoescape(enabled_extensions=(".html.j2",), default=False),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._site = site.rstrip("/")

    def written(self, mail: Mail) -> MailText:
        """The mail in words; `GiveUp` if there is no such template or a value is missing."""
        values = {name: value[:VALUE_LENGTH] for name, value in mail.values.items()}
        try:
            plain = self._filled(f"{mail.template}.txt.j2", values)
            html = self._filled(f"{mail.template}.html.j2", values)
        except TemplateError as error:
            raise GiveUp(f"the template {mail.template!r} cannot be filled: {type(error).__name__}") from error
        head, _, text = plain.partition("\n")
        return MailText(_one_line(head.removeprefix("Subject:")), text.strip() + "\n", html)

    def _filled(self, name: str, values: Mapping[str, str]) -> str:
        return self._templates.get_template(name).render(site=self._site, **values)


def _one_line(subject: str) -> str:
    # A line break in a header would begin another header of the sender's choice.
    return " ".join(subject.split())[:SUBJECT_LENGTH]
