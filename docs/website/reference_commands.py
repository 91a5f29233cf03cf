"""The page of the management commands, made from their parsers. Needs Django to be set up."""

import argparse
from collections.abc import Iterator

from django.core.management import BaseCommand, get_commands, load_command_class

ROOMS = ("marketplace", "labeling", "learning", "frontend")
HEAD = """\
# Commands

Every command is run as `manage.py COMMAND` in a checkout (`.venv/bin/python manage.py`), or `waggle manage COMMAND`
where a wheel is installed. Django's own commands are there too. This page is made from the commands' parsers.
"""


def page() -> str:
    """The whole page, in Markdown."""
    return "\n\n".join([HEAD, *(_command(name) for name in names())]) + "\n"


def names() -> list[str]:
    """The commands of our rooms, in the order of the alphabet."""
    return sorted(name for name, app in get_commands().items() if app in ROOMS)


def _command(name: str) -> str:
    command = load_command_class(get_commands()[name], name)
    parser = command.create_parser("manage.py", name)
    inherited = {action.dest for action in BaseCommand().create_parser("manage.py", name)._actions}
    return "\n\n".join([f"## {name}", *_parts(parser, inherited)])


def _parts(parser: argparse.ArgumentParser, inherited: set[str], depth: int = 3) -> Iterator[str]:
    """What a parser says: its description, a table of its arguments, and its subcommands below headings."""
    if parser.description:
        yield " ".join(parser.description.split())
    subcommands = [one for one in parser._actions if isinstance(one, argparse._SubParsersAction)]
    rows = [
        f"| {_name(action)} | {_text(action)} |"
        for action in parser._actions
        if action not in subcommands and action.dest not in inherited and action.dest != "help"
    ]
    if rows:
        yield "\n".join(["| argument | |", "|---|---|", *rows])
    for action in subcommands:
        helps = {one.dest: one.help or "" for one in action._choices_actions}
        for name, below in action.choices.items():
            yield f"{'#' * depth} {parser.prog.split()[-1]} {name}"
            if helps.get(name) and not below.description:
                yield _sentence(helps[name])
            yield from _parts(below, inherited, depth + 1)


def _name(action: argparse.Action) -> str:
    value = "" if action.nargs == 0 else f" {action.metavar or action.dest.upper()}"
    return ", ".join(f"`{option}{value}`" for option in action.option_strings) or f"`{action.metavar or action.dest}`"


def _text(action: argparse.Action) -> str:
    choices = f" One of {', '.join(f'`{one}`' for one in action.choices)}." if action.choices else ""
    default = "" if action.default in (None, False, argparse.SUPPRESS, [], "") else f" (`{action.default}`)"
    said = (action.help or "").replace("%%", "%").replace("|", "\\|").replace("<", "\\<")
    return f"{_sentence(said)}{default}{choices}".strip()


def _sentence(text: str) -> str:
    text = " ".join(text.split())
    return text[:1].upper() + text[1:]
