/**
 * Random calls on the bytes of two files, the same on a local disk and on mounts: a program of Python,
 * because Node has no calls for mappings, holes, room set aside and copies within the kernel.
 * Arguments: seed, number of calls, directory on the local disk, one directory for each mount.
 * It ends with 0 when all answers were alike and the same is left, else says what was not.
 */
export const randomBytes = `
import ctypes, errno, mmap, os, random, sys
seed, calls, local, *mounts = sys.argv[1:]
draw = random.Random(seed)
top = draw.choice([20_000, 300_000, 3_000_000])
libc = ctypes.CDLL(None, use_errno=True)
libc.fallocate.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]
KEEP, PUNCH, ZERO = 1, 2, 16
RW, APPEND, DIRECT = os.O_RDWR, os.O_RDWR | os.O_APPEND, os.O_RDWR | os.O_DIRECT

class Side:
    'One place where the calls are made; its roots show the same files.'
    def __init__(self, roots):
        self.roots, self.files = roots, {}
    def path(self, call, name=None):
        return os.path.join(self.roots[call.mount % len(self.roots)], name or call.name)
    def file(self, call, flags, name=None):
        key = (name or call.name, call.mount, flags)
        if key not in self.files: self.files[key] = os.open(self.path(call, name), flags)
        return self.files[key]
    def close(self):
        for file in self.files.values(): os.close(file)
        self.files = {}
    def make(self, call):
        try: return makers[call.kind](self, call)
        except OSError as error: return errno.errorcode[error.errno]

class Call:
    def __init__(self):
        self.kind = draw.choice(often)
        self.name, self.other = draw.choice('aaab'), draw.choice('ab')
        self.mount = draw.choice([0, 0, 1])
        self.flags = draw.choice([RW, RW, APPEND])
        self.at, self.to = (draw.choice([draw.randrange(top), draw.randrange(top) & ~4095]) for _ in 'at')
        self.length = draw.randrange(1, draw.choice([100, 5_000, 70_000, 700_000]))
        self.step = draw.randrange(1, 9_000)
        self.content = (draw.randbytes(997) * (self.length // 997 + 1))[:self.length]
        self.refresh = draw.random() < 0.5
    @property
    def blocks(self):
        length = max(4096, self.length & ~4095)
        memory = mmap.mmap(-1, length)
        memory[:] = (self.content * (length // self.length + 1))[:length]
        return memory

def read_direct(side, call):
    into = call.blocks
    return into[:os.preadv(side.file(call, DIRECT), [into], call.at & ~4095)]

def write_in_order(side, call):
    for i in range(0, min(call.length, 60 * call.step), call.step):
        os.pwrite(side.file(call, RW), call.content[i:i + call.step], call.at + i)

def read_mapped(side, call):
    file = side.file(call, RW)
    size = os.fstat(file).st_size
    if size == 0: return None
    with mmap.mmap(file, size, mmap.MAP_SHARED, mmap.PROT_READ) as memory:
        return memory[call.at % size:][:call.length]

def write_mapped(side, call):
    file = side.file(call, RW)
    size = os.fstat(file).st_size
    if size == 0: return None
    with mmap.mmap(file, size) as memory:
        content = call.content[:size - call.at % size]
        memory[call.at % size:call.at % size + len(content)] = content
        memory.flush()

def allocate(mode):
    def made(side, call):
        if libc.fallocate(side.file(call, RW), mode, call.at, call.length) != 0:
            raise OSError(ctypes.get_errno(), '')
    return made

def hear_of(side, call, name):
    'The kernel copies and sends what is there by the size that it last heard: it is asked or opened before.'
    if call.refresh: os.fstat(side.file(call, RW, name))
    else: os.close(os.open(side.path(call, name), os.O_RDONLY))

def copy(side, call):
    source, target = (side.file(call, RW, name) for name in (call.name, call.other))
    hear_of(side, call, call.name)
    left, at, to = call.length, call.at, call.to
    if source == target and abs(at - to) < left: return 'overlap'
    while left > 0 and (count := os.copy_file_range(source, target, left, at, to)) > 0:
        left, at, to = left - count, at + count, to + count
    return left

def send(side, call):
    if call.name == call.other: return None
    target = side.file(call, RW, call.other)
    hear_of(side, call, call.name)
    os.lseek(target, call.to, os.SEEK_SET)
    return os.sendfile(target, side.file(call, RW, call.name), call.at, min(call.length, 60_000))

def find_data(side, call):
    'Not every hole need be known, but where there is said to be one are zeros.'
    file = side.file(call, RW)
    try: data = os.lseek(file, call.at, os.SEEK_DATA)
    except OSError as error:
        if error.errno != errno.ENXIO: raise
        data = os.fstat(file).st_size
    return data < call.at or not any(os.pread(file, data - call.at, call.at))

def find_hole(side, call):
    hole = os.lseek(side.file(call, RW), call.at, os.SEEK_HOLE)
    return call.at <= hole <= os.fstat(side.file(call, RW)).st_size

def swap(side, call):
    side.close()
    for old, new in ('ac', 'ba', 'cb'): os.rename(side.path(call, old), side.path(call, new))

def make_anew(side, call):
    side.close()
    os.unlink(side.path(call))
    os.close(os.open(side.path(call), RW | os.O_CREAT | os.O_EXCL))

def read_all(side, call):
    with open(side.path(call), 'rb') as file: return file.read()

makers = {
    'write': lambda side, call: os.pwrite(side.file(call, RW), call.content, call.at),
    'append': lambda side, call: os.write(side.file(call, APPEND), call.content),
    'write in order': write_in_order,
    'write direct': lambda side, call: os.pwritev(side.file(call, DIRECT), [call.blocks], call.at & ~4095),
    'write mapped': write_mapped,
    'read': lambda side, call: os.pread(side.file(call, call.flags), call.length, call.at),
    'read all': read_all,
    'read direct': read_direct,
    'read mapped': read_mapped,
    'truncate': lambda side, call: os.truncate(side.path(call), call.at),
    'ftruncate': lambda side, call: os.ftruncate(side.file(call, RW), call.at),
    'open to truncate': lambda side, call: os.close(os.open(side.path(call), RW | os.O_TRUNC)),
    'allocate': allocate(0),
    'allocate and keep': allocate(KEEP),
    'punch': allocate(PUNCH | KEEP),
    'zero': allocate(ZERO),
    'zero and keep': allocate(ZERO | KEEP),
    'copy': copy,
    'send': send,
    'find data': find_data,
    'find hole': find_hole,
    'stat': lambda side, call: os.stat(side.path(call)).st_size,
    'fstat': lambda side, call: os.fstat(side.file(call, call.flags)).st_size,
    'fsync': lambda side, call: os.fsync(side.file(call, call.flags)),
    'close': lambda side, call: side.close(),
    'swap': swap,
    'make anew': make_anew,
}
often = [*makers, *['write', 'append', 'write in order', 'read', 'read all'] * 4, *['copy', 'stat'] * 2]

def compare(what, answer, expected):
    if answer == expected: return
    if isinstance(answer, bytes) and isinstance(expected, bytes):
        at = next((i for i, (one, other) in enumerate(zip(answer, expected)) if one != other), 'the end')
        answer, expected = f'{len(answer)} bytes', f'{len(expected)}; they differ from {at} on'
    sys.exit(f'seed {seed}, {what}: {answer}, not {expected}')

sides = [Side(mounts), Side([local])]
for side in sides:
    for name in 'ab': os.close(os.open(os.path.join(side.roots[0], name), RW | os.O_CREAT | os.O_EXCL))
for i in range(int(calls)):
    call = Call()
    about = {key: value for key, value in vars(call).items() if key != 'content'}
    compare(f'call {i} {about}', *(side.make(call) for side in sides))
for side in sides: side.close()
call = Call()
for call.name in 'ab':
    for call.mount in range(len(mounts)):
        compare(f'{call.name} at the end', *(read_all(side, call) for side in sides))
`;
