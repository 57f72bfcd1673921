"""Lets LocalStack 4.14.0, which is written for Python 3.13, run on 3.11 and
3.12 as well, as far as DynamoDB, its streams and S3 need it."""

import builtins
import importlib.machinery
import re
import sys
import threading
import warnings
import _thread

import typing_extensions


class Lock:
    """`threading.Lock | None` in an annotation takes a class."""

    def __new__(cls):
        return _thread.allocate_lock()


threading.Lock = Lock
warnings.deprecated = typing_extensions.deprecated

if sys.version_info < (3, 12):
    # Type parameters (PEP 695) are syntax that older Pythons do not read, and
    # mean nothing at run time: `class A[T](B)` becomes `class A(B)`, with any
    # object for T.
    GENERIC = re.compile(r"^(\s*(?:class|def) \w+)\[([^\]]*)\]", re.MULTILINE)
    compile_source = importlib.machinery.SourceFileLoader.source_to_code

    def source_to_code(self, data, path, **options):
        source = data.decode() if isinstance(data, bytes) and "localstack" in str(path) else ""
        for found in GENERIC.finditer(source):
            for parameter in found.group(2).split(","):
                setattr(builtins, parameter.split(":")[0].strip(), object)
            data = GENERIC.sub(r"\1", source).encode()
        return compile_source(self, data, path, **options)

    importlib.machinery.SourceFileLoader.source_to_code = source_to_code
