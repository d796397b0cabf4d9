"""What Lambda does in a new environment, timed inside: `cold_process.py CODE PACKAGES MODULE [ROUTE]`.

Runs from the two folders of an unpacked package alone, imports the module, and with ROUTE answers the gateway event on
standard input. The last line of what it prints is JSON: milliseconds on the clock and of the processor, and what was
loaded.
"""

import json
import sys
import time


def main() -> None:
    """Import, answer, print."""
    sys.path[:0] = sys.argv[1:3]
    began = time.perf_counter(), time.process_time()
    module = __import__(sys.argv[3], fromlist=["*"])
    imported = time.perf_counter(), time.process_time()
    figures: dict[str, object] = {
        "import": 1000 * (imported[0] - began[0]),
        "import_cpu": 1000 * (imported[1] - began[1]),
    }
    if len(sys.argv) > 4:
        event = json.load(sys.stdin)
        asked = time.perf_counter(), time.process_time()
        answer = module.app(event, None)
        answered = time.perf_counter(), time.process_time()
        if answer["statusCode"] != 200:
            raise SystemExit(f"{sys.argv[4]}: {answer}")
        figures |= {"answer": 1000 * (answered[0] - asked[0]), "answer_cpu": 1000 * (answered[1] - asked[1])}
    figures["modules"] = sorted(sys.modules)
    sys.stdout.write(f"\n{json.dumps(figures)}\n")


if __name__ == "__main__":
    main()
