"""Why a run stands as it does: explanations made of its journal and its program."""
