/* Runs of a LiteRT file, through the C interface of its CompiledModel: no Python is near.
 *
 *   litert_loop LIBRARY MODEL INPUTS OUTPUTS (NAME FILE)...
 *
 * Inputs are set once, from the first bytes of their files; a step is a run of the first signature.
 */
#define _GNU_SOURCE
#include <dlfcn.h>

#include "turns.h"
#include "words.h"

enum { MOST = 16, CPU = 1, WRITE = 1 };

typedef void *handle; /* whatever the library hands out */

/* A tensor's type and shape, which the library writes and reads: room enough, and nothing else here. */
typedef struct {
    uint64_t room[64];
} tensor_type;

static void *library;
static handle environment;
static handle model;
static handle signature;
static handle compiled;
static handle inputs[MOST];
static handle outputs[MOST];
static size_t input_count;
static size_t output_count;
static int (*run)(handle, size_t, size_t, handle *, size_t, handle *);

static void find(const char *name, void *function)
{
    *(void **)function = dlsym(library, name);
    if (*(void **)function == NULL) {
        (void)fprintf(stderr, "%s\n", dlerror());
        exit(1);
    }
}

static void check(int status, const char *what)
{
    if (status != 0) {
        (void)fprintf(stderr, "LiteRT: %s gave %d\n", what, status);
        exit(1);
    }
}

static void turn_step(void)
{
    check(run(compiled, 0U, input_count, inputs, output_count, outputs), "a run");
}

static void *locked(handle buffer)
{
    int (*lock)(handle, void **, int) = NULL;
    void *bytes = NULL;
    find("LiteRtLockTensorBuffer", &lock);
    check(lock(buffer, &bytes, WRITE), "a lock");
    return bytes;
}

static void unlock(handle buffer)
{
    int (*release)(handle) = NULL;
    find("LiteRtUnlockTensorBuffer", &release);
    check(release(buffer), "an unlock");
}

static size_t bytes_of(handle buffer)
{
    int (*size)(handle, size_t *) = NULL;
    size_t bytes = 0U;
    find("LiteRtGetTensorBufferPackedSize", &size);
    check(size(buffer, &bytes), "a size");
    return bytes;
}

static void compile(const char *path)
{
    int (*make_environment)(int, const void *, handle *) = NULL;
    int (*read_model)(handle, const char *, handle *) = NULL;
    int (*get_signature)(handle, size_t, handle *) = NULL;
    int (*make_options)(handle *) = NULL;
    int (*set_hardware)(handle, int) = NULL;
    int (*make_compiled)(handle, handle, handle, handle *) = NULL;
    handle options = NULL;
    find("LiteRtCreateEnvironment", &make_environment);
    find("LiteRtCreateModelFromFile", &read_model);
    find("LiteRtGetModelSignature", &get_signature);
    find("LiteRtCreateOptions", &make_options);
    find("LiteRtSetOptionsHardwareAccelerators", &set_hardware);
    find("LiteRtCreateCompiledModel", &make_compiled);
    find("LiteRtRunCompiledModel", &run);
    check(make_environment(0, NULL, &environment), "an environment");
    check(read_model(environment, path, &model), "the model");
    check(get_signature(model, 0U, &signature), "the signature");
    check(make_options(&options), "options");
    check(set_hardware(options, CPU), "the processor");
    check(make_compiled(environment, model, options, &compiled), "compiling");
}

static handle buffer(int output, const char *name, size_t place)
{
    int (*tensor_of)(handle, const char *, handle *) = NULL;
    int (*tensor_at)(handle, size_t, handle *) = NULL;
    int (*type_of)(handle, tensor_type *) = NULL;
    int (*need)(handle, size_t, size_t, handle *) = NULL;
    int (*make)(handle, const tensor_type *, handle, handle *) = NULL;
    handle tensor = NULL;
    handle needed = NULL;
    handle made = NULL;
    tensor_type type;
    memset(&type, 0, sizeof type);
    find("LiteRtGetSignatureInputTensor", &tensor_of);
    find("LiteRtGetSignatureOutputTensorByIndex", &tensor_at);
    find("LiteRtGetRankedTensorType", &type_of);
    find(
        output ? "LiteRtGetCompiledModelOutputBufferRequirements"
               : "LiteRtGetCompiledModelInputBufferRequirements",
        &need);
    find("LiteRtCreateManagedTensorBufferFromRequirements", &make);
    check(output ? tensor_at(signature, place, &tensor) : tensor_of(signature, name, &tensor), "a tensor");
    check(type_of(tensor, &type), "a type");
    check(need(compiled, 0U, place, &needed), "what a buffer needs");
    check(make(environment, &type, needed, &made), "a buffer");
    return made;
}

static void feed_inputs(void)
{
    int (*name_at)(handle, size_t, const char **) = NULL;
    find("LiteRtGetSignatureInputName", &name_at);
    while (*turn_words != NULL) {
        const char *wanted = turn_word();
        const char *file = turn_word();
        for (size_t place = 0U; place < input_count; ++place) {
            const char *name = NULL;
            check(name_at(signature, place, &name), "a name");
            if (strcmp(name, wanted) == 0) {
                inputs[place] = buffer(0, name, place);
                turn_read(file, locked(inputs[place]), bytes_of(inputs[place]));
                unlock(inputs[place]);
            }
        }
    }
}

int main(int count, char **arguments)
{
    (void)count;
    turn_words = arguments + 1;
    library = dlopen(turn_word(), RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        (void)fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    compile(turn_word());
    input_count = (size_t)atol(turn_word());
    output_count = (size_t)atol(turn_word());
    if (input_count > MOST || output_count > MOST) {
        return 2;
    }
    feed_inputs();
    for (size_t place = 0U; place < output_count; ++place) {
        outputs[place] = buffer(1, NULL, place);
    }
    for (size_t place = 0U; place < input_count; ++place) {
        if (inputs[place] == NULL) {
            (void)fprintf(stderr, "input %zu is not fed\n", place);
            return 2;
        }
    }
    return take_turns();
}
