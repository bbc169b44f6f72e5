"""Run by Claude Code before each tool call: hands the call to apm's socket and prints apm's decision.

Standard library only, and as little of it as can be: it starts once per call. Exit code 2 makes Claude Code refuse
the call, which is what happens whenever apm does not answer.
"""

import socket
import sys


def main() -> int:
    try:
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(sys.argv[1])
            line.sendall(sys.stdin.buffer.read())
            line.shutdown(socket.SHUT_WR)
            answer = b"".join(iter(lambda: line.recv(65536), b""))
    except OSError:
        answer = b""
    if not answer:
        sys.stderr.write("apm, which decides on tool calls, does not answer; nothing is done without it.")
        return 2
    sys.stdout.buffer.write(answer)
    return 0


if __name__ == "__main__":
    sys.exit(main())
