"""What agent code may import: the one table that the facades, the documentation, `doctor` and the code generator read.

A name that is not here cannot be imported. Each was looked at for ways to modules, frames, code objects, files,
processes and the environment; what has such a way is replaced (`REPLACEMENTS`) or left out.
"""

from collections.abc import Mapping
from types import MappingProxyType


def _table(rows: Mapping[str, str]) -> Mapping[str, tuple[str, ...]]:
    return MappingProxyType({module: tuple(sorted(names.split())) for module, names in rows.items()})


MODULES: Mapping[str, tuple[str, ...]] = _table(
    {
        "abc": "ABC ABCMeta abstractclassmethod abstractmethod abstractproperty abstractstaticmethod",
        "array": "ArrayType array typecodes",
        "base64": """a85decode a85encode b16decode b16encode b32decode b32encode b32hexdecode b32hexencode b64decode
            b64encode b85decode b85encode decodebytes encodebytes standard_b64decode standard_b64encode
            urlsafe_b64decode urlsafe_b64encode""",
        "binascii": """Error Incomplete a2b_base64 a2b_hex a2b_qp a2b_uu b2a_base64 b2a_hex b2a_qp b2a_uu crc32 crc_hqx
            hexlify unhexlify""",
        "bisect": "bisect bisect_left bisect_right insort insort_left insort_right",
        "calendar": """Calendar EPOCH FRIDAY February HTMLCalendar IllegalMonthError IllegalWeekdayError January MONDAY
            SATURDAY SUNDAY THURSDAY TUESDAY TextCalendar WEDNESDAY calendar day_abbr day_name error firstweekday
            isleap leapdays mdays month month_abbr month_name monthcalendar monthrange setfirstweekday timegm week
            weekday weekheader""",
        "cmath": """acos acosh asin asinh atan atanh cos cosh e exp inf infj isclose isfinite isinf isnan log log10 nan
            nanj phase pi polar rect sin sinh sqrt tan tanh tau""",
        "codecs": """BOM BOM_BE BOM_LE BOM_UTF16 BOM_UTF16_BE BOM_UTF16_LE BOM_UTF32 BOM_UTF32_BE BOM_UTF32_LE BOM_UTF8
            decode encode iterdecode iterencode""",
        "collections": "ChainMap Counter OrderedDict UserDict UserList defaultdict deque namedtuple",
        "collections.abc": """AsyncGenerator AsyncIterable AsyncIterator Awaitable ByteString Callable Collection
            Container Coroutine Generator Hashable ItemsView Iterable Iterator KeysView Mapping MappingView
            MutableMapping MutableSequence MutableSet Reversible Sequence Set Sized ValuesView""",
        "colorsys": "hls_to_rgb hsv_to_rgb rgb_to_hls rgb_to_hsv rgb_to_yiq yiq_to_rgb",
        "contextlib": """AbstractContextManager ContextDecorator ExitStack closing contextmanager nullcontext
            suppress""",
        "copy": "Error copy deepcopy error",
        "csv": """Dialect DictReader DictWriter Error QUOTE_ALL QUOTE_MINIMAL QUOTE_NONE QUOTE_NONNUMERIC Sniffer excel
            excel_tab get_dialect list_dialects reader register_dialect unix_dialect unregister_dialect writer""",
        "dataclasses": """FrozenInstanceError InitVar KW_ONLY MISSING asdict astuple dataclass field fields
            is_dataclass make_dataclass replace""",
        "datetime": "MAXYEAR MINYEAR UTC date datetime time timedelta timezone tzinfo",
        "decimal": """BasicContext Clamped Context ConversionSyntax Decimal DecimalException DecimalTuple DefaultContext
            DivisionByZero DivisionImpossible DivisionUndefined ExtendedContext FloatOperation Inexact InvalidContext
            InvalidOperation MAX_EMAX MAX_PREC MIN_EMIN MIN_ETINY Overflow ROUND_05UP ROUND_CEILING ROUND_DOWN
            ROUND_FLOOR ROUND_HALF_DOWN ROUND_HALF_EVEN ROUND_HALF_UP ROUND_UP Rounded Subnormal Underflow getcontext
            localcontext setcontext""",
        "difflib": """Differ HtmlDiff IS_CHARACTER_JUNK IS_LINE_JUNK Match SequenceMatcher context_diff diff_bytes
            get_close_matches ndiff restore unified_diff""",
        "enum": """CONFORM CONTINUOUS EJECT Enum EnumCheck Flag FlagBoundary IntEnum IntFlag KEEP NAMED_FLAGS STRICT
            StrEnum UNIQUE auto member nonmember show_flag_values unique verify""",
        "fnmatch": "filter fnmatch fnmatchcase translate",
        "fractions": "Fraction",
        "functools": """cache cached_property cmp_to_key lru_cache partial partialmethod reduce singledispatch
            singledispatchmethod total_ordering update_wrapper wraps""",
        "graphlib": "CycleError TopologicalSorter",
        "gzip": "BadGzipFile compress decompress",
        "hashlib": """algorithms_available algorithms_guaranteed blake2b blake2s md5 new pbkdf2_hmac scrypt sha1 sha224
            sha256 sha384 sha3_224 sha3_256 sha3_384 sha3_512 sha512 shake_128 shake_256""",
        "heapq": "heapify heappop heappush heappushpop heapreplace merge nlargest nsmallest",
        "hmac": "HMAC compare_digest digest new",
        "html": "escape unescape",
        "html.entities": "codepoint2name entitydefs html5 name2codepoint",
        "html.parser": "HTMLParser",
        "io": """BufferedIOBase BytesIO DEFAULT_BUFFER_SIZE IOBase RawIOBase SEEK_CUR SEEK_END SEEK_SET StringIO
            TextIOBase TextIOWrapper UnsupportedOperation""",
        "ipaddress": """AddressValueError IPV4LENGTH IPV6LENGTH IPv4Address IPv4Interface IPv4Network IPv6Address
            IPv6Interface IPv6Network NetmaskValueError collapse_addresses get_mixed_type_key ip_address ip_interface
            ip_network summarize_address_range v4_int_to_packed v6_int_to_packed""",
        "itertools": """accumulate chain combinations combinations_with_replacement compress count cycle dropwhile
            filterfalse groupby islice pairwise permutations product repeat starmap takewhile tee zip_longest""",
        "json": "JSONDecodeError JSONDecoder JSONEncoder dump dumps load loads",
        "keyword": "iskeyword issoftkeyword kwlist softkwlist",
        "logging": """CRITICAL DEBUG ERROR FATAL Formatter INFO Logger NOTSET NullHandler StreamHandler WARN WARNING
            basicConfig critical debug disable error exception fatal getLevelName getLogger info log warning""",
        "math": """acos acosh asin asinh atan atan2 atanh cbrt ceil comb copysign cos cosh degrees dist e erf erfc exp
            exp2 expm1 fabs factorial floor fmod frexp fsum gamma gcd hypot inf isclose isfinite isinf isnan isqrt lcm
            ldexp lgamma log log10 log1p log2 modf nan nextafter perm pi pow prod radians remainder sin sinh sqrt tan
            tanh tau trunc ulp""",
        "numbers": "Complex Integral Number Rational Real",
        "operator": """abs add and_ attrgetter call concat contains countOf delitem eq floordiv ge getitem gt iadd iand
            iconcat ifloordiv ilshift imatmul imod imul index indexOf inv invert ior ipow irshift is_ is_not isub
            itemgetter itruediv ixor le length_hint lshift lt matmul methodcaller mod mul ne neg not_ or_ pos pow
            rshift setitem sub truediv truth xor""",
        "pprint": "PrettyPrinter isreadable isrecursive pformat pp pprint saferepr",
        "random": """Random SystemRandom betavariate choice choices expovariate gammavariate gauss getrandbits getstate
            lognormvariate normalvariate paretovariate randbytes randint random randrange sample seed setstate shuffle
            triangular uniform vonmisesvariate weibullvariate""",
        "re": """A ASCII DEBUG DOTALL I IGNORECASE L LOCALE M MULTILINE Match NOFLAG Pattern RegexFlag S U UNICODE
            VERBOSE X compile error escape findall finditer fullmatch match purge search split sub subn""",
        "reprlib": "Repr recursive_repr repr",
        "secrets": """DEFAULT_ENTROPY SystemRandom choice compare_digest randbelow randbits token_bytes token_hex
            token_urlsafe""",
        "shlex": "join quote split",
        "statistics": """LinearRegression NormalDist StatisticsError correlation covariance fmean geometric_mean
            harmonic_mean linear_regression mean median median_grouped median_high median_low mode multimode pstdev
            pvariance quantiles stdev variance""",
        "string": """Formatter Template ascii_letters ascii_lowercase ascii_uppercase capwords digits hexdigits
            octdigits printable punctuation whitespace""",
        "struct": "Struct calcsize error iter_unpack pack pack_into unpack unpack_from",
        "sys": """byteorder exit float_info getrecursionlimit getsizeof int_info intern maxsize maxunicode
            setrecursionlimit version version_info""",
        "textwrap": "TextWrapper dedent fill indent shorten wrap",
        "time": """altzone asctime ctime daylight gmtime localtime mktime monotonic monotonic_ns perf_counter
            perf_counter_ns process_time process_time_ns sleep strftime strptime struct_time thread_time thread_time_ns
            time time_ns timezone tzname""",
        "types": """BuiltinFunctionType BuiltinMethodType EllipsisType GeneratorType MappingProxyType MethodType
            NoneType NotImplementedType SimpleNamespace UnionType""",
        "typing": """AbstractSet Annotated Any AnyStr AsyncContextManager AsyncGenerator AsyncIterable AsyncIterator
            Awaitable BinaryIO ByteString Callable ChainMap ClassVar Collection Concatenate Container ContextManager
            Coroutine Counter DefaultDict Deque Dict Final FrozenSet Generator Generic Hashable IO ItemsView Iterable
            Iterator KeysView List Literal LiteralString Mapping MappingView Match MutableMapping MutableSequence
            MutableSet NamedTuple Never NewType NoReturn NotRequired Optional OrderedDict ParamSpec Pattern Protocol
            Required Reversible Self Sequence Set Sized SupportsAbs SupportsBytes SupportsComplex SupportsFloat
            SupportsIndex SupportsInt SupportsRound TYPE_CHECKING Text TextIO Tuple Type TypeAlias TypeGuard TypeVar
            TypeVarTuple TypedDict Union Unpack ValuesView assert_never assert_type cast final get_args get_origin
            is_typeddict overload runtime_checkable""",
        "unicodedata": """bidirectional category combining decimal decomposition digit east_asian_width is_normalized
            lookup mirrored name normalize numeric unidata_version""",
        "urllib": "",
        "urllib.parse": """DefragResult DefragResultBytes ParseResult ParseResultBytes SplitResult SplitResultBytes
            parse_qs parse_qsl quote quote_from_bytes quote_plus unquote unquote_plus unquote_to_bytes urldefrag
            urlencode urljoin urlparse urlsplit urlunparse urlunsplit""",
        "uuid": """NAMESPACE_DNS NAMESPACE_OID NAMESPACE_URL NAMESPACE_X500 RESERVED_FUTURE RESERVED_MICROSOFT
            RESERVED_NCS RFC_4122 SafeUUID UUID uuid3 uuid4 uuid5""",
        "weakref": "ReferenceType WeakKeyDictionary WeakMethod WeakSet WeakValueDictionary ref",
        "zlib": """DEFLATED MAX_WBITS Z_BEST_COMPRESSION Z_BEST_SPEED Z_DEFAULT_COMPRESSION Z_DEFAULT_STRATEGY Z_FINISH
            Z_FULL_FLUSH Z_NO_COMPRESSION Z_NO_FLUSH Z_SYNC_FLUSH adler32 compress compressobj crc32 decompress
            decompressobj error""",
        "zoneinfo": "ZoneInfo ZoneInfoNotFoundError available_timezones",
    }
)
"""Importable module -> its public names, sorted. Submodules (`urllib.parse`) are attributes of their parents too."""

NOTES: Mapping[str, str] = MappingProxyType(
    {
        "codecs": "text and byte codecs in memory",
        "collections": "without UserString: subclass str instead",
        "contextlib": "synchronous, without redirection of output; callbacks of ExitStack get no traceback",
        "datetime": "the local time zone is UTC",
        "enum": "member names of the functional form do not start with an underscore",
        "gzip": "whole values in memory",
        "io": "in memory only",
        "logging": "every record at or above the level becomes a log line of the run",
        "pprint": "what is printed becomes a log line of the run",
        "random": "seeded per run, so that a replay repeats it",
        "secrets": "the kernel's randomness: a run that uses it cannot be replayed",
        "string": "format fields reach public attributes only",
        "sys": "sizes, limits and exit; nothing of the interpreter",
        "time": "the local time zone is UTC",
        "types": "classes for isinstance, and SimpleNamespace",
        "typing": "names for annotations, which are not evaluated at run time",
        "uuid": "uuid3, uuid4 and uuid5; uuid4 makes the run not replayable",
        "zoneinfo": "every zone of the machine's time zone data",
    }
)
"""One line about a module that behaves differently from the standard library's."""

REPLACEMENTS: Mapping[str, str] = MappingProxyType(
    {
        "abc": "abstract",
        "contextlib": "contexts",
        "dataclasses": "dataclass_makers",
        "enum": "enums",
        "functools": "functions",
        "logging": "logs",
        "operator": "attributes",
        "pprint": "printing",
        "random": "randomness",
        "secrets": "secret_values",
        "string": "formatting",
        "sys": "interpreter",
        "types": "namespaces",
        "typing": "annotations",
        "uuid": "identifiers",
        "zoneinfo": "zones",
    }
)
"""Module -> the module under `sandbox.policy.shims` whose `__all__` takes the place of the library's names."""

_NO_FILES = "agent code has no files; keep data in the result, in ctx.memory or in ctx.file"
_NO_NETWORK = "agent code reaches the network through ctx.fetch"
_NO_PROCESSES = "agent code starts no processes or threads"
_NO_ASYNC = "write synchronous code; glove calls may simply be made one after another"
_NO_INTROSPECTION = "agent code has no access to the interpreter"
_PACKAGE = "third-party packages need the docker tier"

_HINTED_MODULES: Mapping[str, str] = {
    "agent code has no files, environment or processes; its gloves are on ctx": "os",
    _NO_FILES: "fileinput glob pathlib pickle shelve shutil sqlite3 tarfile tempfile zipfile",
    _NO_NETWORK: "aiohttp ftplib http httpx requests smtplib socket ssl urllib.error urllib.request urllib3",
    _NO_PROCESSES: "concurrent multiprocessing queue signal subprocess threading",
    _NO_ASYNC: "anyio asyncio trio",
    _NO_INTROSPECTION: "ast atexit builtins code ctypes dis gc importlib inspect pkgutil platform runpy traceback",
    _PACKAGE: "PIL bs4 lxml matplotlib numpy pandas pydantic scipy sklearn sympy torch yaml",
    "print the warning, or log it with ctx.log": "warnings",
    "the types of annotations are in typing": "typing_extensions",
    "use time.perf_counter": "timeit",
}

HINTS: Mapping[str, str] = MappingProxyType(
    {module: hint for hint, modules in _HINTED_MODULES.items() for module in modules.split()}
)
"""What to do instead, for modules that models often import and agents cannot have."""

NAME_HINTS: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("calendar", "prcal"): "use print(calendar.calendar(year))",
        ("calendar", "prmonth"): "use print(calendar.month(year, month))",
        ("collections", "UserString"): "subclass str instead",
        ("contextlib", "redirect_stdout"): "write to an io.StringIO instead",
        ("hashlib", "file_digest"): _NO_FILES,
        ("io", "FileIO"): _NO_FILES,
        ("io", "open"): _NO_FILES,
        ("sys", "argv"): "the inputs are the first argument of run",
        ("sys", "stderr"): "print, or log with ctx.log",
        ("sys", "stdin"): "the inputs are the first argument of run",
        ("sys", "stdout"): "print, or log with ctx.log",
        ("uuid", "uuid1"): "use uuid4, which tells nothing about the machine",
    }
)
"""What to do instead, for names of known modules that models often use and agents cannot have."""
