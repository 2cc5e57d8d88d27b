/*
 * Preloaded into an engine (LD_PRELOAD), makes calls on one path fail as they do on a disk or mount with a fault.
 * FAULT_CALL: open, stat or opendir. FAULT_PATH: how the path ends. FAULT_ERRNO: the error's number.
 * FAULT_WHEN: only while this file exists. FAULT_SKIP: so many calls succeed first. FAULT_TIMES: only so many fail.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static atomic_int calls;

static int number(const char *variable, int otherwise) {
    const char *value = getenv(variable);
    return value ? atoi(value) : otherwise;
}

static int fails(const char *call, const char *path) {
    const char *wanted = getenv("FAULT_CALL"), *end = getenv("FAULT_PATH"), *when = getenv("FAULT_WHEN");
    /* Rust asks with no path whether statx exists. */
    if (!wanted || !end || !path || strcmp(call, wanted) || strlen(path) < strlen(end)) return 0;
    if (strcmp(path + strlen(path) - strlen(end), end) || (when && access(when, F_OK))) return 0;
    int call_number = atomic_fetch_add(&calls, 1) - number("FAULT_SKIP", 0);
    if (call_number < 0 || call_number >= number("FAULT_TIMES", 1 << 30)) return 0;
    errno = number("FAULT_ERRNO", EIO);
    return 1;
}

#define NEXT(name) ((__typeof__(name) *)dlsym(RTLD_NEXT, #name))

int open64(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = va_arg(rest, mode_t);
    va_end(rest);
    return fails("open", path) ? -1 : NEXT(open64)(path, flags, mode);
}

int statx(int dir, const char *restrict path, int flags, unsigned mask, struct statx *restrict found) {
    return fails("stat", path) ? -1 : NEXT(statx)(dir, path, flags, mask, found);
}

DIR *opendir(const char *path) {
    return fails("opendir", path) ? NULL : NEXT(opendir)(path);
}
