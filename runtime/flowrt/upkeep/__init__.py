"""Upkeep: runs deleted, what nobody needs collected, a store checked. In: a store and its values."""
