"""The store contract on a Supabase project, reached through its Data API alone."""

from agents_store.supabase_store.credentials import Project
from agents_store.supabase_store.store import SupabaseStore

__all__ = ["Project", "SupabaseStore"]
