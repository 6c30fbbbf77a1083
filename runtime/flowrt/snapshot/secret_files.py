"""Files that are likely to hold secrets. In: names, or bytes. Out: whether they stay out of a snapshot.

Python files are code and are always packed: a secret that stands in code is as public as the code.
Names are compared without regard to case.
"""

import re
from fnmatch import translate

_FILES = (
    ".env",
    ".env.*",
    "*.env",
    ".envrc",
    "*.pem",
    "*.key",
    "*.p12",
    "*.pfx",
    "*.p8",
    "*.ppk",
    "*.jks",
    "*.keystore",
    "*.kdbx",
    "id_rsa*",
    "id_dsa*",
    "id_ecdsa*",
    "id_ed25519*",
    ".netrc",
    "_netrc",
    ".npmrc",
    ".yarnrc.yml",
    ".pypirc",
    ".pgpass",
    "pgpass.conf",
    ".my.cnf",
    ".htpasswd",
    ".git-credentials",
    ".dockercfg",
    ".dockerconfigjson",
    ".s3cfg",
    ".boto",
    ".vault-token",
    "credentials*",
    "client_secret*",
    "service-account*.json",
    "service_account*.json",
    "application_default_credentials.json",
    "secrets.*",
    "*.tfstate",
    "*.tfstate.*",
    "*.tfvars",
    "kubeconfig*",
    ".bash_history",
    ".zsh_history",
    ".python_history",
)
_FOLDERS = frozenset((".aws", ".azure", ".docker", ".gcloud", ".gnupg", ".kube", ".ssh", ".terraform"))
_EXAMPLES = frozenset((".env.example", ".env.sample", ".env.template", ".env.dist"))
_PYTHON = (".py", ".pyi")
_NAMES = re.compile("|".join(translate(pattern) for pattern in _FILES))
_KEY = b"PRIVATE KEY-----"


def secret_folder(name: str) -> bool:
    """Whether a folder of that name is known to hold secrets."""
    return name.lower() in _FOLDERS


def secret_file(name: str) -> bool:
    """Whether a file of that name is known to hold secrets."""
    lower = name.lower()
    if lower.endswith(_PYTHON) or lower in _EXAMPLES:
        return False
    return _NAMES.match(lower) is not None


def holds_key(name: str, data: bytes) -> bool:
    """Whether a file that is no code holds a private key in the usual armour."""
    return _KEY in data and not name.lower().endswith(_PYTHON)
