"""Runs one command and prints its cost as JSON: whole-process wall, CPU and peak RSS, as the kernel counts them."""

import json
import os
import subprocess
import sys
import time

started = time.monotonic()
process = subprocess.Popen(sys.argv[2:], stdin=subprocess.DEVNULL, stdout=open(sys.argv[1], "wb"), stderr=subprocess.STDOUT)
_, status, usage = os.wait4(process.pid, 0)
print(
    json.dumps(
        {
            "exitCode": os.waitstatus_to_exitcode(status),
            "wallMs": round((time.monotonic() - started) * 1000),
            "cpuMs": round((usage.ru_utime + usage.ru_stime) * 1000),
            "peakRssMb": round(usage.ru_maxrss / 1024),
        }
    )
)
