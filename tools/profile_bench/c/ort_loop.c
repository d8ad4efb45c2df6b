/* Steps of an ONNX file in ONNX Runtime, through its C interface: no Python is near.
 *
 *   ort_loop LIBRARY MODEL REUSE TENSOR...
 *
 * A tensor is: in NAME TYPE WIDTH FILE, or state IN OUT TYPE WIDTH FILE, or out NAME TYPE WIDTH. It is
 * [1, WIDTH]; TYPE is its number in ONNX, and FILE begins with its bytes. REUSE is 0 or 1. Two bindings
 * alternate, so that a step reads the state that the one before wrote.
 */
#define _GNU_SOURCE
#include <dlfcn.h>

#include "turns.h"
#include "words.h"

enum { SEQUENTIAL = 0, ALL_OPTIMISATIONS = 99, FATAL = 4, ARENA = 1, DEFAULT_MEMORY = 0 };

/* Places in the table of functions, which only ever grows at its end. */
enum {
    GET_ERROR_MESSAGE = 2,
    CREATE_ENV = 3,
    CREATE_SESSION = 7,
    CREATE_SESSION_OPTIONS = 10,
    SET_EXECUTION_MODE = 13,
    ENABLE_MEM_PATTERN = 16,
    DISABLE_MEM_PATTERN = 17,
    ENABLE_CPU_MEM_ARENA = 18,
    DISABLE_CPU_MEM_ARENA = 19,
    SET_LOG_SEVERITY = 22,
    SET_OPTIMIZATION_LEVEL = 23,
    SET_INTRA_OP_THREADS = 24,
    SET_INTER_OP_THREADS = 25,
    CREATE_RUN_OPTIONS = 39,
    CREATE_TENSOR_WITH_DATA = 49,
    CREATE_CPU_MEMORY_INFO = 69,
    RUN_WITH_BINDING = 133,
    CREATE_IO_BINDING = 134,
    BIND_INPUT = 136,
    BIND_OUTPUT = 137,
    VERSION = 17
};

typedef void *handle; /* whatever the library hands out */
typedef void (*entry)(void);

typedef struct {
    const entry *(*table)(uint32_t version);
    const char *(*version)(void);
} base;

static const entry *api;
static handle session;
static handle run_options;
static handle bindings[2];
static handle (*run_with_binding)(handle, handle, handle);
static int current;

static void check(handle status)
{
    if (status != NULL) {
        const char *(*message)(handle) = (const char *(*)(handle))api[GET_ERROR_MESSAGE];
        (void)fprintf(stderr, "ONNX Runtime: %s\n", message(status));
        exit(1);
    }
}

static void set(int place, handle options, int value)
{
    check(((handle(*)(handle, int))api[place])(options, value));
}

static void make(int place, handle *made)
{
    check(((handle(*)(handle *))api[place])(made));
}

static void turn_step(void)
{
    check(run_with_binding(session, run_options, bindings[current]));
    current = 1 - current;
}

/* Bytes that an option changes; the first one, or -1. */
static long changed(handle options, int place, unsigned char *before, size_t bytes)
{
    memcpy(before, options, bytes);
    check(((handle(*)(handle))api[place])(options));
    for (size_t index = 0U; index < bytes; ++index) {
        if (before[index] != ((unsigned char *)options)[index]) {
            return (long)index;
        }
    }
    return -1;
}

/* The planning of reused memory has no function of its own in C, only in Python: its flag lies between those
 * of the patterns and of the arena. Where it does not, the program ends. */
static void forbid_reuse(handle options)
{
    enum { BYTES = 96 };
    unsigned char before[BYTES];
    long pattern = changed(options, DISABLE_MEM_PATTERN, before, BYTES);
    long arena = changed(options, DISABLE_CPU_MEM_ARENA, before, BYTES);
    unsigned char *flags = options;
    if (pattern < 0 || arena != pattern + 2 || flags[pattern + 1] != 1U) {
        (void)fputs("the flag of memory reuse is not where it was\n", stderr);
        exit(1);
    }
    flags[pattern + 1] = 0U;
    check(((handle(*)(handle))api[ENABLE_MEM_PATTERN])(options));
    check(((handle(*)(handle))api[ENABLE_CPU_MEM_ARENA])(options));
}

static void open_session(const char *library, const char *model, int reuse)
{
    void *loaded = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    handle environment = NULL;
    handle options = NULL;
    const base *(*get_base)(void) = NULL;
    if (loaded == NULL || (*(void **)&get_base = dlsym(loaded, "OrtGetApiBase")) == NULL) {
        (void)fprintf(stderr, "%s\n", dlerror());
        exit(1);
    }
    api = get_base()->table(VERSION);
    check(((handle(*)(int, const char *, handle *))api[CREATE_ENV])(FATAL, "loop", &environment));
    make(CREATE_SESSION_OPTIONS, &options);
    set(SET_EXECUTION_MODE, options, SEQUENTIAL);
    set(SET_OPTIMIZATION_LEVEL, options, ALL_OPTIMISATIONS);
    set(SET_INTRA_OP_THREADS, options, 1);
    set(SET_INTER_OP_THREADS, options, 1);
    set(SET_LOG_SEVERITY, options, FATAL);
    if (!reuse) {
        forbid_reuse(options);
    }
    check(((handle(*)(handle, const char *, handle, handle *))api[CREATE_SESSION])(
        environment, model, options, &session));
    make(CREATE_RUN_OPTIONS, &run_options);
    for (int index = 0; index < 2; ++index) {
        check(((handle(*)(handle, handle *))api[CREATE_IO_BINDING])(session, &bindings[index]));
    }
}

static size_t size_of(int type)
{
    switch (type) {
    case 1: /* float */
    case 6: /* int32 */
        return 4U;
    case 5: /* int16 */
        return 2U;
    case 3: /* int8 */
        return 1U;
    default:
        (void)fprintf(stderr, "tensors of type %d are not known here\n", type);
        exit(2);
    }
}

/* A tensor [1, width], and its bytes. */
static handle tensor(int type, int64_t width, const char *file, void **bytes)
{
    static handle memory;
    int64_t shape[2] = {1, 0};
    size_t size = (size_t)width * size_of(type);
    handle value = NULL;
    if (memory == NULL) {
        check(((handle(*)(int, int, handle *))api[CREATE_CPU_MEMORY_INFO])(ARENA, DEFAULT_MEMORY, &memory));
    }
    if (posix_memalign(bytes, 64U, size) != 0) {
        exit(1);
    }
    turn_read(file, *bytes, size);
    shape[1] = width;
    check(((handle(*)(handle, void *, size_t, const int64_t *, size_t, int, handle *))
            api[CREATE_TENSOR_WITH_DATA])(memory, *bytes, size, shape, 2U, type, &value));
    return value;
}

static void bind(int place, int which, const char *name, handle value)
{
    check(((handle(*)(handle, const char *, handle))api[place])(bindings[which], name, value));
}

static void bind_next(void)
{
    const char *what = turn_word();
    const char *name = turn_word();
    const char *target = strcmp(what, "state") == 0 ? turn_word() : NULL;
    int type = atoi(turn_word());
    int64_t width = atol(turn_word());
    void *bytes = NULL;
    if (strcmp(what, "out") == 0) {
        handle value = tensor(type, width, "-", &bytes);
        bind(BIND_OUTPUT, 0, name, value);
        bind(BIND_OUTPUT, 1, name, value);
        return;
    }
    handle value = tensor(type, width, turn_word(), &bytes);
    bind(BIND_INPUT, 0, name, value);
    if (target == NULL) {
        bind(BIND_INPUT, 1, name, value);
        return;
    }
    handle other = tensor(type, width, "-", &bytes);
    bind(BIND_OUTPUT, 0, target, other);
    bind(BIND_INPUT, 1, name, other);
    bind(BIND_OUTPUT, 1, target, value);
}

int main(int count, char **arguments)
{
    (void)count;
    turn_words = arguments + 1;
    const char *library = turn_word();
    const char *model = turn_word();
    open_session(library, model, atoi(turn_word()));
    *(void **)&run_with_binding = *(void *const *)&api[RUN_WITH_BINDING];
    while (*turn_words != NULL) {
        bind_next();
    }
    return take_turns();
}
