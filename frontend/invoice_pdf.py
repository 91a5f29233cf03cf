"""An account's statement of some days as a PDF: an invoice of the fees and taxes, a receipt of the deposits.

Names need a font with their letters: WAGGLE_PDF_FONT. Without one the PDF has Latin letters, and "?" for others.
"""

from pathlib import Path

from django.conf import settings
from django.http import HttpResponse
from fpdf import FPDF
from fpdf.enums import XPos, YPos

from frontend import statement_files, statement_pages
from marketplace import money
from marketplace.models import Account
from marketplace.services import billing, statements
from marketplace.services.statements import Period

BUILT_IN = "Helvetica"
"""A font that every reader of PDF has, with Latin letters only."""

SYSTEM_FONTS = (
    "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
    "/usr/share/fonts/dejavu-sans-fonts/DejaVuSans.ttf",
    "/usr/share/fonts/TTF/DejaVuSans.ttf",
)
"""Where systems keep a font with many letters."""

MOST_DEPOSITS = 200
"""Movements with the bank that are listed one by one."""

LINE, SMALL, GAP = 6, 9, 4
AMOUNT = 40
"""Millimetres of the column of amounts."""


def response(account: Account, period: Period) -> HttpResponse:
    """The PDF, to be saved."""
    found = HttpResponse(render(account, period), content_type="application/pdf")
    name = f"statement-{account.number}-{period.first}-{period.last}.pdf"
    found["Content-Disposition"] = f'attachment; filename="{name}"'
    found["Cache-Control"] = "no-store"
    return found


def font_file() -> Path | None:
    """The font of the letters, None for the one that is built in."""
    named = settings.PDF_FONT
    return next((Path(path) for path in ([named] if named else SYSTEM_FONTS) if Path(path).is_file()), None)


def render(account: Account, period: Period) -> bytes:
    """The bytes of the PDF."""
    found = statements.of_account(account, period)
    page = _Page()
    _head(page, account, period)
    page.row("At the beginning", money.text(found.opening_micros))
    for total in found.totals:
        called = statement_pages.called(total.kind, total.what)
        page.row(f"{called} ({total.lines})", money.text(total.amount_micros))
    page.row("At the end", money.text(found.closing_micros))
    bank = statements.account_lines(account, period, what="bank", most=MOST_DEPOSITS)
    if bank:
        page.gap()
        page.text("Received and returned, by date", size=12)
        for row in statement_files.rows(statement_files.of_account(account), bank):
            page.row(
                f"{row['at']:%Y-%m-%d}  {row['description']}  {row['reference']}", money.text(row["amount_micros"])
            )
    return page.bytes()


def _head(page: "_Page", account: Account, period: Period) -> None:
    terms = billing.terms(account)
    page.text("Statement and invoice", size=16)
    page.text(f"{period.first} to {period.last}, in US dollars. Days are those of UTC.", size=SMALL)
    page.gap()
    for text in (terms.billing_name or account.name, *terms.billing_address.splitlines()):
        page.text(text)
    page.text(f"Account {account.number}")
    if terms.tax_number:
        page.text(f"Tax number {terms.tax_number}")
    page.gap()
    page.text("Workers are paid through the platform; the fees are the platform's price.", size=SMALL)
    if terms.tax_percent:
        page.text(
            f"{terms.tax_label} of {terms.tax_percent} % is charged on the fees once a month is over.", size=SMALL
        )


class _Page:
    """Writes lines, and begins another page where one is full."""

    def __init__(self) -> None:
        self._pdf = FPDF(format="A4")
        self._pdf.set_auto_page_break(auto=True, margin=20)
        font = font_file()
        self._latin = font is None
        if font is not None:
            self._pdf.add_font("letters", fname=font)
        self._family = BUILT_IN if font is None else "letters"
        self._pdf.add_page()

    def text(self, text: str, *, size: int = 10) -> None:
        """A line over the whole width."""
        self._pdf.set_font(self._family, size=size)
        self._pdf.multi_cell(0, LINE, self._shown(text), new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def row(self, text: str, amount: str) -> None:
        """A text, and an amount at the right."""
        self._pdf.set_font(self._family, size=10)
        width = self._pdf.epw - AMOUNT
        top, page = self._pdf.get_y(), self._pdf.page
        self._pdf.multi_cell(width, LINE, self._shown(text), new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        below = self._pdf.get_y()
        # Beside the first line of the text, unless a page began with it.
        self._pdf.set_xy(self._pdf.l_margin + width, top if self._pdf.page == page else below - LINE)
        self._pdf.cell(AMOUNT, LINE, amount, align="R")
        self._pdf.set_xy(self._pdf.l_margin, below)

    def gap(self) -> None:
        """Room between two parts."""
        self._pdf.ln(GAP)

    def bytes(self) -> bytes:
        """The file."""
        return bytes(self._pdf.output())

    def _shown(self, text: str) -> str:
        return text.encode("latin-1", "replace").decode("latin-1") if self._latin else text
