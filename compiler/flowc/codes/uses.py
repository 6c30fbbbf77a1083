"""The rules about the flow files that a file uses."""

from flowc.codes.entry import Code

CODES = (
    Code(
        "F0130",
        "A flow file that is used cannot be used",
        "The flows of another file are checked and stored with the flows that call them, so the file has "
        "to be there, readable and without errors. Its path is relative to the file that uses it. What is "
        "wrong in it is reported there.",
        bad="flowc: 1\nuse: {c: ./comon.flow.yaml}\nflow: main\nresult: c.double(2)\n",
        good="flowc: 1\nuse: {c: ./common.flow.yaml}\nflow: main\nresult: c.double(2)\n",
    ),
    Code(
        "F0131",
        "Flow files use each other in a circle",
        "A file that is used is complete without the one that uses it: it can be read, checked and run "
        "alone. What two files need of each other belongs into a third one. The flows of one file may call "
        "each other as they like.",
        bad="flowc: 1\nuse: {self: ./bad.flow.yaml}\nflow: main\ninputs: {n: int}\nresult: self.main(n)\n",
        good="""\
flowc: 1
flow: main
inputs: {n: int}
steps:
  - if: n > 0
    then:
      - return: main(n - 1)
  - return: n
""",
    ),
    Code(
        "F0223",
        "Files declare one event differently",
        "All flows of a store share its events, whichever file they are from: what one of them emits, the "
        "waits of all others with that name see. So files that are used together declare an event alike. "
        "What a declaration leaves out, the type or the key, it leaves open.",
        bad="flowc: 1\nuse: {c: ./common.flow.yaml}\nevents: {doubled: {type: str}}\nflow: main\n"
        "result: c.double(2)\n",
        good="flowc: 1\nuse: {c: ./common.flow.yaml}\nevents: {doubled: {type: int}}\nflow: main\n"
        "result: c.double(2)\n",
    ),
)
