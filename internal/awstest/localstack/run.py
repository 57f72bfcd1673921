"""Runs LocalStack's runtime in this process, without Docker.

Its image brings DynamoDB Local and a Java for it; here both are the machine's:
SYMPHONY_DYNAMODB_LOCAL names the folder with DynamoDB Local and what it needs.
"""

import os
import sys

if sys.version_info < (3, 13):
    import older_python  # noqa: F401

from localstack.services.dynamodb.packages import DynamoDBLocalPackageInstaller
from localstack.services.dynamodb.server import DynamodbServer

FOLDER = os.environ["SYMPHONY_DYNAMODB_LOCAL"]

# Has the kernel kill DynamoDB Local when this process dies, of whatever:
# prctl(PR_SET_PDEATHSIG, SIGKILL), then the command.
TIED = [
    sys.executable, "-c",
    "import ctypes, os, sys; ctypes.CDLL(None).prctl(1, 9); os.execvp(sys.argv[1], sys.argv[1:])",
]


def install(self, *args, **kwargs):
    """Downloads nothing: DynamoDB Local is there."""


def java_environment(self):
    return {}


def command(self):
    """LocalStack's own command, but for its agent, which raises the number of
    indexes a table may have."""
    cmd = [
        "java", f"-Xmx{self.heap_size}", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
        f"-Djava.library.path={FOLDER}", "-cp", f"{FOLDER}/*",
        "com.amazonaws.services.dynamodbv2.local.main.ServerRunner",
        "-disableTelemetry", "-port", str(self.port),
    ]
    cmd += ["-inMemory"] if self.in_memory else ["-dbPath", self.db_path]
    if self.share_db:
        cmd.append("-sharedDb")
    return TIED + cmd if sys.platform == "linux" else cmd


DynamoDBLocalPackageInstaller.install = install
DynamoDBLocalPackageInstaller.get_java_env_vars = java_environment
DynamodbServer._create_shell_command = command

from localstack.runtime.main import main

main()
