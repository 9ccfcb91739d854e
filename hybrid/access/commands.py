"""`python -m hybrid keys`: create, list and revoke keys."""

from typing import Any

import click

from hybrid.access.keys import SCOPES, Key, KeyFolder, Scope
from hybrid.access.last_use import last_use
from hybrid.settings import Settings
from hybrid.terminal.commands import setting
from hybrid.terminal.text import printable


@click.group()
def keys() -> None:
    """Create, list and revoke the keys of the service.

    A running service notices at once.
    """


@keys.command()
@click.option(
    "--scope",
    "scopes",
    type=click.Choice(SCOPES),
    multiple=True,
    required=True,
    help="what the key allows; may be repeated",
)
@click.option("--name", default="", help="who or what uses it, to recognise it in the list")
@setting("data")
@setting("keys")
def create(scopes: tuple[Scope, ...], name: str, **settings: Any) -> None:
    """Create a key and print it: it is shown only now.

    The key alone goes to standard output.
    """
    key, text = _folder(settings).create(scopes, name)
    click.echo(f"key {key.id} for {', '.join(key.record.scopes)}, shown only now:", err=True)
    click.echo(text)


@keys.command("list")
@setting("data")
@setting("keys")
def list_keys(**settings: Any) -> None:
    """List the keys: id, scopes, creation, last use (to the hour), name."""
    folder = _folder(settings)
    existing = folder.all()
    if not existing:
        click.echo(f"No key in {folder.folder}.")
    for key in existing:
        click.echo(_line(folder, key))


@keys.command()
@click.argument("key_id", metavar="ID")
@setting("data")
@setting("keys")
def revoke(key_id: str, **settings: Any) -> None:
    """Revoke the key with this ID: it is refused from now on."""
    _folder(settings).revoke(key_id)
    click.echo(f"Revoked {key_id}.")


def _folder(settings: dict[str, Any]) -> KeyFolder:
    return KeyFolder(Settings.load(**settings).keys_folder)


def _line(folder: KeyFolder, key: Key) -> str:
    used, record = last_use(folder.folder, key.id), key.record
    columns = (
        key.id,
        f"{','.join(record.scopes):<16}",
        f"created {record.created:%Y-%m-%d}",
        f"used {used:%Y-%m-%d %H:%M} UTC" if used else f"{'no use noted':<25}",
        printable(record.name),
    )
    return "  ".join(columns).rstrip()
