"""Options of Ray that a call does not have, and what others call those that it has. Tables only."""

from collections.abc import Mapping

_ONE_VALUE = "a step has one value; index it where it is read"
_NO_OPTION = "Ray has no such option for tasks; `memory` is the memory of the worker"

OPTIONS_ELSEWHERE: Mapping[str, tuple[str, str]] = {
    "max_retries": (
        "retries are flowc's own: write `retry: 3` beside the call",
        "retries are flowc's own: write `retry 3` behind the call",
    ),
    "retry_exceptions": (
        "retries are flowc's own: write `retry: {max: 3, catch: [OSError]}` beside the call",
        "retries are flowc's own: write `retry 3 catch OSError` behind the call",
    ),
    "num_returns": (_ONE_VALUE, _ONE_VALUE),
    "object_store_memory": (_NO_OPTION, _NO_OPTION),
}
"""What to do instead of some options of Ray, in the words of YAML and of the DSL."""

OPTIONS_MEANT: Mapping[str, str] = {
    "cpu": "num_cpus",
    "cpus": "num_cpus",
    "cores": "num_cpus",
    "gpu": "num_gpus",
    "gpus": "num_gpus",
    "mem": "memory",
    "ram": "memory",
    "env": "runtime_env",
    "accelerator": "accelerator_type",
    "placement": "scheduling_strategy",
    "strategy": "scheduling_strategy",
    "labels": "label_selector",
}
"""What options are called elsewhere, and their name here."""
