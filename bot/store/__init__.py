"""All SQL lives here. Functions take `db` first and run in the caller's transaction; `Store` opens and shares it."""

from sqlite_utils import Database

from bot.store.connection import StoreError
from bot.store.store import Store

__all__ = ["Database", "Store", "StoreError"]
