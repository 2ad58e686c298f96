"""One call or more of everything that agents can import, as source text per module. Used by the facades' tests."""

from typing import Final

EXERCISES: Final[dict[str, str]] = {
    "abc": """
class Shape(abc.ABC):
    @abc.abstractmethod
    def area(self): ...
    @abc.abstractproperty
    def name(self): ...
    @abc.abstractclassmethod
    def make(cls): ...
    @abc.abstractstaticmethod
    def help(): ...
assert isinstance(Shape, abc.ABCMeta)
""",
    "array": """
numbers = array.array("i", [1, 2]); numbers.append(3); assert numbers.tobytes() and isinstance(numbers, array.ArrayType)
""",
    "base64": """
for encode, decode in (
    (base64.a85encode, base64.a85decode), (base64.b16encode, base64.b16decode), (base64.b32encode, base64.b32decode),
    (base64.b32hexencode, base64.b32hexdecode), (base64.b64encode, base64.b64decode),
    (base64.b85encode, base64.b85decode), (base64.encodebytes, base64.decodebytes),
    (base64.standard_b64encode, base64.standard_b64decode), (base64.urlsafe_b64encode, base64.urlsafe_b64decode),
):
    assert decode(encode(b"some bytes")) == b"some bytes"
""",
    "binascii": """
assert binascii.a2b_base64(binascii.b2a_base64(b"a")) == b"a"
assert binascii.a2b_hex(binascii.b2a_hex(b"a")) == binascii.unhexlify(binascii.hexlify(b"a"))
assert binascii.a2b_qp(binascii.b2a_qp(b"a")) == b"a" and binascii.a2b_uu(binascii.b2a_uu(b"a")) == b"a"
assert binascii.crc32(b"a") and binascii.crc_hqx(b"a", 0)
try:
    binascii.unhexlify("x")
except (binascii.Error, binascii.Incomplete) as error:
    result = error
""",
    "bisect": """
items = [1, 3]; bisect.insort(items, 2); bisect.insort_left(items, 0); bisect.insort_right(items, 4)
assert bisect.bisect(items, 2) == bisect.bisect_right(items, 2) == bisect.bisect_left(items, 2) + 1
""",
    "calendar": """
assert calendar.isleap(2024) and calendar.leapdays(2000, 2024) and calendar.timegm((2024, 1, 1, 0, 0, 0, 0, 0, 0))
assert calendar.weekday(2024, 1, 1) == calendar.MONDAY and calendar.monthrange(2024, 2) == (3, 29)
assert calendar.monthcalendar(2024, 2) and calendar.month(2024, 2) and calendar.calendar(2024)
assert calendar.weekheader(2) and calendar.week([(1, 0)], 2)
calendar.setfirstweekday(calendar.SUNDAY); assert calendar.firstweekday() == calendar.SUNDAY
assert [*calendar.month_name][1] == "January" and [*calendar.day_abbr][0] == "Mon"
assert [*calendar.month_abbr] and [*calendar.day_name]
html = calendar.HTMLCalendar(); assert html.formatyear(2024) and html.formatyearpage(2024)
text = calendar.TextCalendar(); assert text.formatyear(2024)
assert [*calendar.Calendar().itermonthdates(2024, 1)]
try:
    calendar.monthrange(2024, 13)
except (calendar.IllegalMonthError, calendar.error) as error:
    result = error
try:
    calendar.setfirstweekday(9)
except calendar.IllegalWeekdayError as error:
    result = error
calendar.setfirstweekday(calendar.MONDAY)
""",
    "cmath": """
for function in (
    cmath.acos, cmath.acosh, cmath.asin, cmath.asinh, cmath.atan, cmath.atanh, cmath.cos, cmath.cosh, cmath.exp,
    cmath.log, cmath.log10, cmath.phase, cmath.sin, cmath.sinh, cmath.sqrt, cmath.tan, cmath.tanh,
):
    function(0.5 + 0.25j)
assert cmath.isclose(cmath.rect(*cmath.polar(1 + 1j)), 1 + 1j) and cmath.isfinite(1j)
assert not cmath.isinf(1j) and not cmath.isnan(1j)
""",
    "codecs": """
for name in ("hex", "base64", "zlib", "bz2", "quopri", "uu"):
    assert codecs.decode(codecs.encode(b"some bytes", name), name) == b"some bytes"
assert codecs.encode("a", "rot13") == "n" and codecs.decode(b"\\\\N{DASH}", "unicode_escape", "replace")
assert [*codecs.iterdecode([b"a"], "utf-8")] == ["a"] and [*codecs.iterencode(["a"], "utf-8")] == [b"a"]
for name in (
    "ascii", "latin-1", "utf-8-sig", "utf-16", "utf-32", "utf-7", "cp1252", "cp437", "koi8-r", "mac-roman", "idna",
    "punycode", "shift_jis", "euc_jp", "iso2022_jp", "iso2022_jp_2", "iso2022_jp_2004", "iso2022_kr", "gb18030", "hz",
    "gbk", "big5", "big5hkscs", "johab", "euc_kr", "cp949", "raw_unicode_escape", "iso8859_15", "tis-620", "U8",
):
    "text".encode(name).decode(name)
    "\\xe9\\u65e5\\u1234\\u00b0".encode(name, "replace" if name not in ("idna", "raw_unicode_escape") else "strict")
try:
    "a".encode("no such encoding")
except LookupError as error:
    result = error
try:
    b"\\xff".decode("utf-8")
except UnicodeDecodeError as error:
    result = error
assert "\\xff".encode("ascii", "namereplace") == b"\\\\N{LATIN SMALL LETTER Y WITH DIAERESIS}"
assert "\\xff".encode("ascii", "xmlcharrefreplace") and "\\xff".encode("ascii", "backslashreplace")
""",
    "collections": """
Point = collections.namedtuple("Point", "x y", defaults=[0]); point = Point(1); assert point.y == 0 and repr(point)
counter = collections.Counter("aab"); assert counter.most_common(1) == [("a", 2)] and (counter + counter).total() == 6
ordered = collections.OrderedDict(a=1); ordered.move_to_end("a"); queue = collections.deque([1], maxlen=2)
grouped = collections.defaultdict(list); grouped["a"].append(1); chain = collections.ChainMap({}, {"a": 1})
users = collections.UserDict(a=1), collections.UserList([1]); users[0].copy(); users[1].copy(); queue.rotate()
class Derived(collections.UserDict): ...
Derived(a=1).copy()
""",
    "collections.abc": """
for kind in (
    collections.abc.AsyncGenerator, collections.abc.AsyncIterable, collections.abc.AsyncIterator,
    collections.abc.Awaitable, collections.abc.ByteString, collections.abc.Callable, collections.abc.Collection,
    collections.abc.Container, collections.abc.Coroutine, collections.abc.Generator, collections.abc.Hashable,
    collections.abc.ItemsView, collections.abc.Iterable, collections.abc.Iterator, collections.abc.KeysView,
    collections.abc.Mapping, collections.abc.MappingView, collections.abc.MutableMapping,
    collections.abc.MutableSequence, collections.abc.MutableSet, collections.abc.Reversible, collections.abc.Sequence,
    collections.abc.Set, collections.abc.Sized, collections.abc.ValuesView,
):
    isinstance({}, kind)
class Table(collections.abc.Mapping):
    def __getitem__(self, key): return key
    def __iter__(self): return iter([1])
    def __len__(self): return 1
table = Table(); views = [table.items(), table.keys(), table.values()]; assert table.get(3) == 3
""",
    "colorsys": """
assert colorsys.hls_to_rgb(*colorsys.rgb_to_hls(0.1, 0.2, 0.3)) and colorsys.hsv_to_rgb(*colorsys.rgb_to_hsv(1, 0, 0))
assert colorsys.yiq_to_rgb(*colorsys.rgb_to_yiq(0.1, 0.2, 0.3))
""",
    "contextlib": """
@contextlib.contextmanager
def opened():
    yield 1
manager = opened()
with opened() as one, contextlib.nullcontext(2) as two, contextlib.suppress(ValueError):
    raise ValueError
class Closable(contextlib.AbstractContextManager, contextlib.ContextDecorator):
    def close(self): ...
    def __exit__(self, *exc): ...
with contextlib.ExitStack() as stack:
    stack.enter_context(contextlib.closing(Closable())); stack.callback(print, end=""); stack.push(lambda *exc: True)
    raise KeyError
""",
    "copy": """
import_free = {"a": [1, {2}, (3, [4])]}; assert copy.deepcopy(import_free) == copy.copy(import_free)
class Thing:
    def __init__(self): self.parts = [1]
thing = copy.deepcopy(Thing()); other = copy.copy(thing)
try:
    copy.copy(x for x in ())
except TypeError as error:
    result = error
assert issubclass(copy.Error, Exception) and copy.error is copy.Error
""",
    "csv": """
lines = "a,b\\n1,2\\n".splitlines(); rows = [*csv.DictReader(lines)]; assert [*csv.reader(lines)][0] == ["a", "b"]
out = io.StringIO(); writer = csv.DictWriter(out, ["a"]); writer.writeheader(); writer.writerow({"a": 1})
csv.writer(out, quoting=csv.QUOTE_ALL).writerows([[1, 2]])
class Semicolons(csv.Dialect):
    delimiter = ";"; lineterminator = "\\n"; quoting = csv.QUOTE_MINIMAL; quotechar = '"'
csv.register_dialect("semicolons", Semicolons); assert "semicolons" in csv.list_dialects()
dialect = csv.get_dialect("semicolons"); csv.unregister_dialect("semicolons")
sniffed = csv.Sniffer().sniff("a;b\\n1;2\\n"); assert sniffed.delimiter == ";"
for dialect_class in (csv.excel, csv.excel_tab, csv.unix_dialect):
    dialect_class()
try:
    csv.get_dialect("none such")
except csv.Error as error:
    result = error
""",
    "dataclasses": """
@dataclasses.dataclass(order=True)
@program_class
class Item:
    name: "str"
    tags: "list" = dataclasses.field(default_factory=list)
    seed: "dataclasses.InitVar[int]" = 0
    kind: "ClassVar[str]" = "kind"
    _: "KW_ONLY" = dataclasses.KW_ONLY
    size: "int" = 0
item = Item("a", size=3); assert dataclasses.asdict(item) == {"name": "a", "tags": [], "size": 3}
assert dataclasses.astuple(item) == ("a", [], 3) and dataclasses.replace(item, name="b").name == "b"
assert dataclasses.is_dataclass(Item) and [f.name for f in dataclasses.fields(Item)] == ["name", "tags", "size"]
Made = dataclasses.make_dataclass("Made", ["x", ("y", int, 0)], frozen=True); made = Made(1)
fields = dataclasses.fields(Made); missing = dataclasses.MISSING; initvar = dataclasses.InitVar[int]
try:
    made.x = 2
except dataclasses.FrozenInstanceError as error:
    result = error
""",
    "datetime": """
now = datetime.datetime.now(datetime.UTC); assert now.astimezone().utcoffset() == datetime.timedelta(0)
assert datetime.datetime.strptime("2024-02-29 13:00 +0100", "%Y-%m-%d %H:%M %z").strftime("%A %d %B %Y %p %c %x %X %Z")
day = datetime.date.today(); clock = datetime.time(1, 2, tzinfo=datetime.timezone.utc); clock.isoformat()
assert datetime.datetime.fromisoformat("2024-01-01T00:00:00Z") and datetime.datetime.fromtimestamp(0).timestamp() == 0
class Fixed(datetime.tzinfo):
    def utcoffset(self, when): return datetime.timedelta(hours=1)
    def dst(self, when): return datetime.timedelta(0)
    def tzname(self, when): return "F"
assert now.astimezone(Fixed()).tzname() == "F" and day.isocalendar().week
""",
    "decimal": """
with decimal.localcontext() as context:
    context.prec = 5; assert decimal.Decimal(1) / 3
decimal.setcontext(decimal.Context(prec=9)); decimal.getcontext().copy(); parts = decimal.Decimal("1.5").as_tuple()
assert format(decimal.Decimal("1234.5"), ",.2f") == "1,234.50" and decimal.DecimalTuple(0, (1,), 0) and parts
contexts = [decimal.BasicContext, decimal.DefaultContext, decimal.ExtendedContext]
signals = [
    decimal.Clamped, decimal.ConversionSyntax, decimal.DecimalException, decimal.DivisionByZero,
    decimal.DivisionImpossible, decimal.DivisionUndefined, decimal.FloatOperation, decimal.Inexact,
    decimal.InvalidContext, decimal.InvalidOperation, decimal.Overflow, decimal.Rounded, decimal.Subnormal,
    decimal.Underflow,
]
try:
    decimal.Decimal("x")
except decimal.InvalidOperation as error:
    result = error
""",
    "difflib": """
a, b = ["one\\n", "two\\n"], ["one\\n", "tree\\n"]
assert difflib.get_close_matches("appel", ["apple"]) and [*difflib.unified_diff(a, b)] and [*difflib.context_diff(a, b)]
delta = [*difflib.ndiff(a, b)]; assert [*difflib.restore(delta, 1)] == a and [*difflib.Differ().compare(a, b)]
assert [*difflib.diff_bytes(difflib.unified_diff, [b"a"], [b"b"])] and difflib.IS_LINE_JUNK("\\n")
matcher = difflib.SequenceMatcher(difflib.IS_CHARACTER_JUNK, "abc", "abd"); assert matcher.ratio() > 0.5
matcher.get_opcodes(); assert isinstance(matcher.find_longest_match(), difflib.Match)
page = difflib.HtmlDiff().make_file(a, b)
""",
    "enum": """
class Color(enum.Enum):
    RED = enum.auto()
    BLUE = enum.auto()
Loose = enum.Flag("Loose", "A B", boundary=enum.CONFORM)
class Perm(enum.Flag):
    R = enum.auto()
    W = enum.auto()
class Level(enum.IntEnum):
    LOW = 1
class Word(enum.StrEnum):
    A = enum.auto()
class Bits(enum.IntFlag):
    A = 1
@enum.verify(enum.UNIQUE, enum.CONTINUOUS)
@enum.unique
class Named(enum.Enum):
    A = enum.member(1)
    helper = enum.nonmember(2)
made = enum.Enum("Made", "A B"); assert made.B.value == 2 and Perm.R | Perm.W and Color(1) is Color.RED
assert enum.show_flag_values(3) == [1, 2] and Word.A == "a" and f"{Level.LOW:02d}" == "01" and Bits.A | 2
kinds = [enum.EnumCheck, enum.FlagBoundary]
""",
    "fnmatch": """
assert fnmatch.fnmatch("a.py", "*.py") and fnmatch.fnmatchcase("a", "a") and fnmatch.filter(["a"], "?") == ["a"]
assert fnmatch.translate("*")
""",
    "fractions": """
half = fractions.Fraction("0.5"); assert half + fractions.Fraction(1, 3) and half.limit_denominator(3) and float(half)
""",
    "functools": """
@functools.lru_cache(maxsize=2)
def cached(x): return x
@functools.cache
def forever(x): return x
cached(1); forever(1); assert cached.cache_info().misses == 1
class Box:
    @functools.cached_property
    def content(self): return [1]
    @functools.singledispatchmethod
    def kind(self, x): return "other"
    @kind.register(int)
    def _of_int(self, x): return "int"
    add = functools.partialmethod(lambda self, a, b: a + b, 1)
box = Box(); assert box.content is box.content and box.kind(1) == "int" and box.kind("") == "other" and box.add(2) == 3
@functools.singledispatch
def show(x): return "other"
@show.register(int)
def of_int(x): return "int"
assert show(1) == "int" and show("") == "other" and show.registry and show.dispatch(int)
@functools.wraps(show)
def wrapper(x): return show(x)
functools.update_wrapper(lambda: 1, show); part = functools.partial(int, base=2); assert part("11") == 3
assert functools.reduce(lambda a, b: a + b, [1, 2]) == 3
assert sorted([2, 1], key=functools.cmp_to_key(lambda a, b: a - b)) == [1, 2]
@functools.total_ordering
class Size:
    def __init__(self, n): self.n = n
    def __eq__(self, other): return self.n == other.n
    def __lt__(self, other): return self.n < other.n
assert Size(1) <= Size(1)
""",
    "graphlib": """
sorter = graphlib.TopologicalSorter({"b": ["a"]}); assert [*sorter.static_order()] == ["a", "b"]
try:
    [*graphlib.TopologicalSorter({"a": ["a"]}).static_order()]
except graphlib.CycleError as error:
    result = error
""",
    "gzip": """
assert gzip.decompress(gzip.compress(b"a" * 99)) == b"a" * 99
try:
    gzip.decompress(b"no gzip here")
except gzip.BadGzipFile as error:
    result = error
""",
    "hashlib": """
for make in (
    hashlib.blake2b, hashlib.blake2s, hashlib.md5, hashlib.sha1, hashlib.sha224, hashlib.sha256, hashlib.sha384,
    hashlib.sha3_224, hashlib.sha3_256, hashlib.sha3_384, hashlib.sha3_512, hashlib.sha512,
):
    digest = make(b"a"); digest.update(b"b"); digest.copy().hexdigest()
assert hashlib.shake_128(b"").hexdigest(4) and hashlib.shake_256(b"").digest(4)
for name in hashlib.algorithms_available:
    try:
        hashlib.new(name, b"a")
    except ValueError as error:
        result = error
assert hashlib.pbkdf2_hmac("sha256", b"a", b"b", 2) and hashlib.scrypt(b"a", salt=b"b", n=2, r=8, p=1)
""",
    "heapq": """
heap = [3, 1]; heapq.heapify(heap); heapq.heappush(heap, 2); heapq.heappop(heap); heapq.heappushpop(heap, 1)
heapq.heapreplace(heap, 9); assert [*heapq.merge([1], [2])] == heapq.nsmallest(2, [2, 1])
assert heapq.nlargest(1, [1, 2], key=lambda x: x) == [2]
""",
    "hmac": """
code = hmac.new(b"key", b"text", "sha256"); code.update(b"more"); assert isinstance(code.copy(), hmac.HMAC)
assert hmac.compare_digest(hmac.digest(b"key", b"text", "sha256"), hmac.new(b"key", b"text", hashlib.sha256).digest())
""",
    "html": """
assert html.unescape(html.escape("<a>&eacute;&notit;")) == "<a>&eacute;&notit;"
""",
    "html.entities": """
assert html.entities.html5["amp;"] == "&" and html.entities.name2codepoint["amp"] == 38
assert html.entities.codepoint2name[38] == "amp" and html.entities.entitydefs["amp"] == "&"
""",
    "html.parser": """
class Titles(html.parser.HTMLParser):
    def handle_starttag(self, tag, attrs): self.tag = tag
parser = Titles(); parser.feed('<!DOCTYPE html><p class="a">x &amp; y<!-- c --><script>1</script></p><?pi?>')
parser.close(); assert parser.getpos() and parser.tag == "script"
""",
    "io": """
text = io.StringIO("a\\nb"); assert text.readline() == "a\\n"; raw = io.BytesIO(b"a"); raw.getbuffer()
wrapped = io.TextIOWrapper(io.BytesIO(b"a\\r\\n"), encoding="latin-1", newline=None); assert wrapped.read() == "a\\n"
assert isinstance(text, io.TextIOBase) and isinstance(raw, io.BufferedIOBase) and isinstance(raw, io.IOBase)
assert not isinstance(raw, io.RawIOBase) and raw.seek(0, io.SEEK_END) == 1
try:
    text.fileno()
except io.UnsupportedOperation as error:
    result = error
""",
    "ipaddress": """
assert ipaddress.ip_address("10.0.0.1").is_private and [*ipaddress.ip_network("10.0.0.0/30").hosts()]
assert ipaddress.ip_interface("10.0.0.1/8") and ipaddress.IPv6Address("::1").exploded
one, two = ipaddress.IPv4Network("10.0.0.0/25"), ipaddress.IPv4Network("10.0.0.128/25")
assert [*ipaddress.collapse_addresses([one, two])] and ipaddress.get_mixed_type_key(one)
first, last = ipaddress.IPv4Address("10.0.0.0"), ipaddress.IPv4Address("10.0.0.9")
assert [*ipaddress.summarize_address_range(first, last)] and format(first, "b")
assert ipaddress.v4_int_to_packed(1) and ipaddress.v6_int_to_packed(1) and ipaddress.IPv6Network("::/64")
assert ipaddress.IPv4Interface("10.0.0.1/8") and ipaddress.IPv6Interface("::1/64")
for wrong in ("300.0.0.1", "10.0.0.0/99"):
    try:
        ipaddress.IPv4Network(wrong)
    except (ipaddress.AddressValueError, ipaddress.NetmaskValueError) as error:
        result = error
""",
    "itertools": """
made = [
    itertools.accumulate([1]), itertools.chain([1]), itertools.combinations([1], 1), itertools.compress([1], [1]),
    itertools.combinations_with_replacement([1], 1), itertools.dropwhile(bool, [1]), itertools.filterfalse(bool, [1]),
    itertools.groupby([1]), itertools.islice(itertools.count(), 2), itertools.islice(itertools.cycle([1]), 2),
    itertools.pairwise([1, 2]), itertools.permutations([1]), itertools.product([1]), itertools.repeat(1, 1),
    itertools.starmap(pow, [(1, 2)]), itertools.takewhile(bool, [0]), itertools.zip_longest([1], []),
    *itertools.tee([1]),
]
for iterator in made:
    list(iterator)
""",
    "json": """
assert json.loads(json.dumps({"a": [1.5, None]}, indent=2, sort_keys=True)) == {"a": [1.5, None]}
out = io.StringIO(); json.dump([1], out); assert json.load(io.StringIO("[1]")) == [1]
class Encoder(json.JSONEncoder):
    def default(self, value): return str(value)
encoder = Encoder(); assert json.dumps({1}, cls=Encoder) and json.JSONDecoder().raw_decode("1 2") == (1, 1)
try:
    json.loads("{")
except json.JSONDecodeError as error:
    result = error
""",
    "keyword": """
assert keyword.iskeyword("if") and keyword.issoftkeyword("match") and keyword.kwlist and keyword.softkwlist
""",
    "logging": """
logging.basicConfig(level=logging.DEBUG, format="%(message)s"); log = logging.getLogger("a.b")
for function in (
    logging.debug, logging.info, logging.warning, logging.error, logging.critical, logging.exception, logging.fatal,
):
    function("text %s", 1)
logging.log(logging.INFO, "text"); log.setLevel("INFO"); log.info("%(a)s", {"a": 1}); log.getChild("c").warning("text")
logging.disable(logging.CRITICAL); assert logging.getLevelName(20) == "INFO" and isinstance(log, logging.Logger)
handler = logging.StreamHandler(); handler.setFormatter(logging.Formatter("%(message)s")); log.addHandler(handler)
log.addHandler(logging.NullHandler()); logging.disable(logging.NOTSET); logging.basicConfig(level="INFO")
""",
    "math": """
for function in (
    math.acos, math.asin, math.asinh, math.atan, math.atanh, math.cbrt, math.ceil, math.cos, math.cosh, math.degrees,
    math.erf, math.erfc, math.exp, math.exp2, math.expm1, math.fabs, math.floor, math.frexp, math.gamma, math.isfinite,
    math.isinf, math.isnan, math.lgamma, math.log, math.log10, math.log1p, math.log2, math.modf, math.radians, math.sin,
    math.sinh, math.sqrt, math.tan, math.tanh, math.trunc, math.ulp,
):
    function(0.5)
for function in (
    math.atan2, math.copysign, math.fmod, math.hypot, math.isclose, math.nextafter, math.pow, math.remainder,
):
    function(0.5, 1.5)
assert math.acosh(1) == 0 and math.comb(3, 2) == 3 and math.perm(3, 2) == 6 and math.gcd(4, 6) == 2
assert math.dist([0], [1]) == 1 and math.factorial(3) == 6 and math.fsum([1]) == 1 and math.isqrt(9) == 3
assert math.lcm(2, 3) == 6 and math.ldexp(1, 2) == 4 and math.prod([2, 3]) == 6
""",
    "numbers": """
assert isinstance(1, numbers.Integral) and isinstance(1, numbers.Rational) and isinstance(1.0, numbers.Real)
assert isinstance(1j, numbers.Complex) and isinstance(1, numbers.Number)
""",
    "operator": """
for function in (
    operator.add, operator.and_, operator.eq, operator.floordiv, operator.ge, operator.gt, operator.iadd,
    operator.iand, operator.ifloordiv, operator.ilshift, operator.imod, operator.imul, operator.ior, operator.ipow,
    operator.irshift, operator.is_, operator.is_not, operator.isub, operator.itruediv, operator.ixor, operator.le,
    operator.lshift, operator.lt, operator.mod, operator.mul, operator.ne, operator.or_, operator.pow, operator.rshift,
    operator.sub, operator.truediv, operator.xor,
):
    function(6, 3)
for function in (
    operator.abs, operator.index, operator.inv, operator.invert, operator.neg, operator.not_, operator.pos,
    operator.truth,
):
    function(6)
class Matrix:
    def __matmul__(self, other): return self
    __imatmul__ = __matmul__
matrix = operator.matmul(Matrix(), 1); operator.imatmul(matrix, 1)
items = operator.iconcat(operator.concat([1], [2]), [3]); operator.setitem(items, 0, 5); operator.delitem(items, 0)
assert operator.getitem(items, 0) == 2 and operator.contains(items, 2) and operator.countOf(items, 2) == 1
assert operator.indexOf(items, 2) == 0 and operator.length_hint(items) == 2 and operator.call(int) == 0
assert operator.itemgetter(0, 1)(items) == (2, 3) and operator.attrgetter("real", "real.imag")(1) == (1, 0)
assert operator.methodcaller("upper")("a") == "A" and operator.attrgetter("real")(1) == 1
""",
    "pprint": """
assert pprint.pformat({"a": [1] * 50}) and pprint.isreadable(1) and not pprint.isrecursive(1) and pprint.saferepr(1)
pprint.pprint([1]); pprint.pp({"b": 1, "a": 2}); printer = pprint.PrettyPrinter(indent=2); printer.pprint({"a": 1})
out = io.StringIO(); pprint.pprint([1], out); assert out.getvalue() == "[1]\\n"
""",
    "random": """
random.seed(1); random.setstate(random.getstate())
for call in (
    random.random, lambda: random.betavariate(1, 1), lambda: random.choice([1]), lambda: random.choices([1], k=2),
    lambda: random.expovariate(1), lambda: random.gammavariate(1, 1), lambda: random.gauss(0, 1),
    lambda: random.getrandbits(9), lambda: random.lognormvariate(0, 1), lambda: random.normalvariate(0, 1),
    lambda: random.paretovariate(1), lambda: random.randbytes(3), lambda: random.randint(1, 2),
    lambda: random.randrange(9), lambda: random.sample([1, 2], 1), lambda: random.shuffle([1, 2]),
    lambda: random.triangular(0, 1), lambda: random.uniform(0, 1), lambda: random.vonmisesvariate(0, 1),
    lambda: random.weibullvariate(1, 1),
):
    call()
generator = random.Random("text"); generator.seed(); generator.random(); random.Random().random(); random.seed("text")
system = random.SystemRandom(); assert system.random() < 1 and system.choice([1]) == 1 and system.randbytes(2)
""",
    "re": """
pattern = re.compile(r"(?P<a>\\w+)", re.I | re.MULTILINE); assert isinstance(pattern, re.Pattern)
match = re.match(pattern, "text"); assert isinstance(match, re.Match) and match["a"] and re.fullmatch("a", "a")
assert re.search("a", "ba") and re.findall("a", "aa") == [m[0] for m in re.finditer("a", "aa")]
assert re.split(",", "a,b") and re.sub("a", lambda m: "b", "a") == re.subn("a", "b", "a")[0] and re.escape(".")
re.purge(); assert re.RegexFlag.I == re.IGNORECASE; re.compile("(?i)\\u00e9[\\u0400-\\u04ff]")
try:
    re.compile("(")
except re.error as error:
    result = error
""",
    "reprlib": """
assert reprlib.repr([1] * 50) and reprlib.Repr().repr({"a": 1})
class Loop:
    @reprlib.recursive_repr()
    def __repr__(self): return f"<{self!r}>"
assert repr(Loop()) == "<...>"
""",
    "secrets": """
assert secrets.choice([1]) == 1 and secrets.randbelow(1) == 0 and secrets.randbits(3) < 8 and secrets.token_bytes(3)
assert secrets.token_hex(3) and secrets.token_urlsafe() and secrets.compare_digest("a", "a")
system = secrets.SystemRandom(); system.shuffle([1, 2])
""",
    "shlex": """
assert shlex.split(shlex.join(["a b", "c"])) == ["a b", "c"] and shlex.quote("a b")
""",
    "statistics": """
values = [1, 2, 2, 5]
for function in (
    statistics.fmean, statistics.geometric_mean, statistics.harmonic_mean, statistics.mean, statistics.median,
    statistics.median_grouped, statistics.median_high, statistics.median_low, statistics.mode, statistics.multimode,
    statistics.pstdev, statistics.pvariance, statistics.quantiles, statistics.stdev, statistics.variance,
):
    function(values)
line = statistics.linear_regression([1, 2], [1, 2]); assert isinstance(line, statistics.LinearRegression)
assert statistics.correlation([1, 2], [1, 2]) and statistics.covariance([1, 2], [1, 2])
normal = statistics.NormalDist.from_samples(values); normal.samples(3, seed=1); normal.quantiles()
try:
    statistics.mean([])
except statistics.StatisticsError as error:
    result = error
""",
    "string": """
assert string.Template("$a").substitute(a=1) == "1" and string.capwords("a b") == "A B"
formatter = string.Formatter(); assert formatter.format("{0.real:>{width}}", 1, width=3) == "  1"
""",
    "struct": """
packed = struct.pack("<iH", 1, 2); assert struct.unpack("<iH", packed) == (1, 2) and struct.calcsize("i") == 4
room = bytearray(8); struct.pack_into("<i", room, 0, 1); assert struct.unpack_from("<i", room) == (1,)
assert [*struct.iter_unpack("<i", room)]; form = struct.Struct("<i")
try:
    struct.unpack("<i", b"")
except struct.error as error:
    result = error
""",
    "sys": """
assert sys.maxsize and sys.getsizeof([]) and sys.intern("a") and sys.getrecursionlimit()
sys.setrecursionlimit(10**9); assert sys.getrecursionlimit() == 10_000; sys.setrecursionlimit(1000)
try:
    sys.exit(3)
except SystemExit as error:
    result = error
""",
    "textwrap": """
assert textwrap.wrap("some text " * 20) and textwrap.fill("a") and textwrap.dedent("  a") and textwrap.indent("a", " ")
assert textwrap.shorten("some long text", 9); wrapper = textwrap.TextWrapper(width=20)
""",
    "time": """
for function in (
    time.time, time.time_ns, time.monotonic, time.monotonic_ns, time.perf_counter, time.perf_counter_ns,
    time.process_time, time.process_time_ns, time.thread_time, time.thread_time_ns, time.ctime, time.asctime,
):
    function()
moment = time.localtime(); assert time.mktime(time.gmtime(0)) == 0 and isinstance(moment, time.struct_time)
time.sleep(0); assert time.strptime(time.strftime("%c", moment), "%c")
""",
    "types": """
space = types.SimpleNamespace(a=1); space.b = 2; assert space == types.SimpleNamespace(a=1, b=2)
proxy = types.MappingProxyType({"a": 1}); method = types.MethodType(lambda self: self, 3); assert method() == 3
assert isinstance((x for x in ()), types.GeneratorType) and isinstance(len, types.BuiltinFunctionType)
assert isinstance([].append, types.BuiltinMethodType) and isinstance(..., types.EllipsisType)
assert isinstance(None, types.NoneType) and isinstance(NotImplemented, types.NotImplementedType)
assert isinstance(int | str, types.UnionType)
""",
    "typing": """
T = typing.TypeVar("T"); P = typing.ParamSpec("P"); Ts = typing.TypeVarTuple("Ts")
aliases = [
    kind[int] for kind in (
        typing.AbstractSet, typing.AsyncContextManager, typing.AsyncIterable, typing.AsyncIterator, typing.Awaitable,
        typing.ClassVar, typing.Collection, typing.Container, typing.ContextManager, typing.Counter, typing.Deque,
        typing.Final, typing.FrozenSet, typing.IO, typing.Iterable, typing.Iterator, typing.KeysView, typing.List,
        typing.Literal, typing.MappingView, typing.MutableSequence, typing.MutableSet, typing.NotRequired,
        typing.Optional, typing.Required, typing.Reversible, typing.Sequence, typing.Set, typing.Tuple, typing.Type,
        typing.TypeGuard, typing.Union, typing.ValuesView,
    )
] + [
    kind[int, str] for kind in (
        typing.AsyncGenerator, typing.ChainMap, typing.DefaultDict, typing.Dict, typing.ItemsView, typing.Mapping,
        typing.MutableMapping, typing.OrderedDict,
    )
] + [
    typing.Annotated[str, "note"], typing.Callable[[int], str], typing.Coroutine[int, int, int],
    typing.Generator[int, int, int], typing.Match[str], typing.Pattern[str], typing.Concatenate[int, P],
    typing.Dict[str, "Later"], typing.Tuple[typing.Unpack[Ts]],
]
plain = [
    typing.Any, typing.AnyStr, typing.BinaryIO, typing.ByteString, typing.Hashable, typing.LiteralString, typing.Never,
    typing.NoReturn, typing.Self, typing.Sized, typing.Text, typing.TextIO, typing.TypeAlias,
]
for kind in (
    typing.SupportsAbs, typing.SupportsBytes, typing.SupportsComplex, typing.SupportsFloat, typing.SupportsIndex,
    typing.SupportsInt, typing.SupportsRound,
):
    isinstance(1, kind)
class Row(typing.NamedTuple):
    a: "int"
    b: "str" = ""
class Movie(typing.TypedDict):
    name: "str"
@typing.runtime_checkable
class Named(typing.Protocol):
    name: "str"
class Pair(typing.Generic[T]): ...
class Text(str, typing.Generic[T]): ...
text_of = Text[int]
@typing.final
class Leaf(Pair[int]): ...
row = Row(1); other_row = typing.NamedTuple("Other", [("a", int)])(1); movie = Movie(name="a"); isinstance(1, Named)
UserId = typing.NewType("UserId", int); assert UserId(3) == typing.cast(int, 3) == typing.assert_type(3, int)
assert typing.get_args(typing.List[int]) == (int,) and typing.get_origin(typing.List[int]) is list
assert typing.is_typeddict(Movie) and Pair[int]()
@typing.overload
def twice(x): ...
def twice(x): return x * 2
try:
    typing.assert_never(1)
except AssertionError as error:
    result = error
""",
    "unicodedata": """
for function in (
    unicodedata.bidirectional, unicodedata.category, unicodedata.combining, unicodedata.decimal,
    unicodedata.decomposition, unicodedata.digit, unicodedata.east_asian_width, unicodedata.mirrored, unicodedata.name,
    unicodedata.numeric,
):
    function("7")
assert unicodedata.normalize("NFD", "\\u00e9") and unicodedata.is_normalized("NFC", "a")
assert unicodedata.lookup("DIGIT SEVEN") == "7"
""",
    "urllib.parse": """
parts = urllib.parse.urlparse("https://u@h:1/p;x?q=1#f"); assert parts.hostname == "h" and parts.geturl()
split = urllib.parse.urlsplit("https://[::1]/p?q=1"); assert urllib.parse.urlunsplit(split)
assert urllib.parse.urlunparse(parts) and urllib.parse.urldefrag("a#b").fragment == "b"
assert urllib.parse.parse_qs("a=1&a=2") == {"a": ["1", "2"]} and urllib.parse.parse_qsl("a=1") == [("a", "1")]
assert urllib.parse.unquote(urllib.parse.quote("a \\u00e9", safe="")) == "a \\u00e9"
assert urllib.parse.unquote_plus(urllib.parse.quote_plus("a b")) and urllib.parse.quote_from_bytes(b"a")
assert urllib.parse.unquote_to_bytes("%00") and urllib.parse.urljoin("http://a/b", "c")
assert urllib.parse.urlencode({"a": [1, 2]}, doseq=True) == "a=1&a=2" and parts._replace(path="").geturl()
assert isinstance(parts, urllib.parse.ParseResult) and isinstance(split, urllib.parse.SplitResult)
assert isinstance(urllib.parse.urlsplit(b"a"), urllib.parse.SplitResultBytes)
assert isinstance(urllib.parse.urlparse(b"a"), urllib.parse.ParseResultBytes)
assert isinstance(urllib.parse.urldefrag("a"), urllib.parse.DefragResult)
assert isinstance(urllib.parse.urldefrag(b"a"), urllib.parse.DefragResultBytes)
""",
    "uuid": """
one = uuid.uuid4(); assert uuid.UUID(str(one)) == one and one.version == 4 and one.is_safe == uuid.SafeUUID.unknown
assert uuid.uuid3(uuid.NAMESPACE_DNS, "a") and uuid.uuid5(uuid.NAMESPACE_URL, "a")
""",
    "weakref": """
class Node:
    def visit(self): ...
node = Node(); reference = weakref.ref(node); assert reference() is node
assert isinstance(reference, weakref.ReferenceType)
by_key, by_value = weakref.WeakKeyDictionary({node: 1}), weakref.WeakValueDictionary({1: node})
held = weakref.WeakSet([node]); method = weakref.WeakMethod(node.visit); method()()
""",
    "zlib": """
assert zlib.decompress(zlib.compress(b"a")) == b"a" and zlib.crc32(b"a") and zlib.adler32(b"a")
packer = zlib.compressobj(); unpacker = zlib.decompressobj()
unpacker.decompress(packer.compress(b"a") + packer.flush())
try:
    zlib.decompress(b"x")
except zlib.error as error:
    result = error
""",
    "zoneinfo": """
berlin = zoneinfo.ZoneInfo("Europe/Berlin"); noon = datetime.datetime(2024, 7, 1, 12, tzinfo=berlin)
assert noon.utcoffset() == datetime.timedelta(hours=2) and noon.tzname() == "CEST"
copy.deepcopy(noon); copy.copy(berlin); zoneinfo.ZoneInfo.clear_cache(); berlin.no_cache("Asia/Tokyo")
for key in zoneinfo.available_timezones():
    zone = zoneinfo.ZoneInfo(key); noon.astimezone(zone).isoformat()
try:
    zoneinfo.ZoneInfo("No/Where")
except zoneinfo.ZoneInfoNotFoundError as error:
    result = error
""",
}
