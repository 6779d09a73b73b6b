/*
 * Records what a process does to the files below one folder, in order, so that a test can work out what a
 * power cut might have left of it. To be loaded into a process that is not changed otherwise:
 *
 *   cc -shared -fPIC -O2 -o recorder.so recorder.c -ldl -lpthread
 *   RECORD_BELOW=/folder RECORD_TO=/elsewhere/trace LD_PRELOAD=./recorder.so command
 *
 * Each record is a line, `operation inode offset length path` and a tab with a second path for a rename,
 * followed by `length` bytes and a newline. Paths must be absolute. Operations: create, truncate, write,
 * sync (of a file), order (sync of a folder), rename, unlink, mkdir, rmdir.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static FILE *trace;
static const char *below;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

__attribute__((constructor)) static void begin(void) {
  const char *to = getenv("RECORD_TO");
  below = getenv("RECORD_BELOW");
  if (to && below) trace = fopen(to, "ae");
}

static int concerns(const char *path) {
  return trace && path && strncmp(path, below, strlen(below)) == 0;
}

static int concerns_file(int file, struct stat *found, char *path, size_t size) {
  char link[64];
  if (!trace || file <= 2 || fstat(file, found) != 0) return 0;
  if (!S_ISREG(found->st_mode) && !S_ISDIR(found->st_mode)) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = readlink(link, path, size - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return concerns(path);
}

static void record(const char *operation, ino_t inode, off_t offset, const char *path,
                   const char *second, const struct iovec *parts, int count, size_t length) {
  fprintf(trace, "%s %lu %ld %zu %s%s%s\n", operation, (unsigned long)inode, (long)offset, length,
          path, second ? "\t" : "", second ? second : "");
  for (int i = 0; i < count && length > 0; i++) {
    size_t taken = parts[i].iov_len < length ? parts[i].iov_len : length;
    fwrite(parts[i].iov_base, 1, taken, trace);
    length -= taken;
  }
  fputc('\n', trace);
  fflush(trace);
}

/* Runs an operation on names under the lock, and records it if it succeeded. */
#define NAMED(name, operation, path, second, call)                        \
  if (!concerns(path)) return call;                                       \
  pthread_mutex_lock(&lock);                                              \
  int result = call, error = errno;                                       \
  if (result == 0) record(operation, 0, 0, path, second, NULL, 0, 0);     \
  pthread_mutex_unlock(&lock);                                            \
  errno = error;                                                          \
  return result;

int rename(const char *from, const char *to) { NAMED(rename, "rename", from, to, REAL(rename)(from, to)) }
int unlink(const char *path) { NAMED(unlink, "unlink", path, NULL, REAL(unlink)(path)) }
int mkdir(const char *path, mode_t mode) { NAMED(mkdir, "mkdir", path, NULL, REAL(mkdir)(path, mode)) }
int rmdir(const char *path) { NAMED(rmdir, "rmdir", path, NULL, REAL(rmdir)(path)) }

static int opened(int (*real)(const char *, int, ...), const char *path, int flags, mode_t mode) {
  if (!concerns(path)) return real(path, flags, mode);
  pthread_mutex_lock(&lock);
  struct stat found;
  int existed = stat(path, &found) == 0;
  int file = real(path, flags, mode), error = errno;
  if (file >= 0 && fstat(file, &found) == 0 && S_ISREG(found.st_mode)) {
    if (!existed) record("create", found.st_ino, 0, path, NULL, NULL, 0, 0);
    else if (flags & O_TRUNC) record("truncate", found.st_ino, 0, path, NULL, NULL, 0, 0);
  }
  pthread_mutex_unlock(&lock);
  errno = error;
  return file;
}

#define OPEN(name)                                   \
  int name(const char *path, int flags, ...) {       \
    va_list rest;                                    \
    va_start(rest, flags);                           \
    mode_t mode = va_arg(rest, mode_t);              \
    va_end(rest);                                    \
    return opened(REAL(name), path, flags, mode);    \
  }
OPEN(open)
OPEN(open64)

/* Writing: `at` is the place in the file, or -1 for its own. */
static ssize_t wrote(int file, off_t at, const struct iovec *parts, int count, ssize_t (*real)(int, off_t, const struct iovec *, int)) {
  struct stat found;
  char path[4096];
  if (!concerns_file(file, &found, path, sizeof path)) return real(file, at, parts, count);
  pthread_mutex_lock(&lock);
  if (at < 0) {
    fstat(file, &found);
    at = fcntl(file, F_GETFL) & O_APPEND ? found.st_size : lseek(file, 0, SEEK_CUR);
    ssize_t result = real(file, -1, parts, count);
    int error = errno;
    if (result > 0) record("write", found.st_ino, at, path, NULL, parts, count, (size_t)result);
    pthread_mutex_unlock(&lock);
    errno = error;
    return result;
  }
  ssize_t result = real(file, at, parts, count);
  int error = errno;
  if (result > 0) record("write", found.st_ino, at, path, NULL, parts, count, (size_t)result);
  pthread_mutex_unlock(&lock);
  errno = error;
  return result;
}

static ssize_t gathered(int file, off_t at, const struct iovec *parts, int count) {
  return at < 0 ? REAL(writev)(file, parts, count) : REAL(pwritev)(file, parts, count, at);
}

ssize_t write(int file, const void *bytes, size_t length) {
  if (!trace || file <= 2) return REAL(write)(file, bytes, length);
  struct iovec part = {(void *)bytes, length};
  return wrote(file, -1, &part, 1, gathered);
}
ssize_t pwrite(int file, const void *bytes, size_t length, off_t at) {
  struct iovec part = {(void *)bytes, length};
  return wrote(file, at, &part, 1, gathered);
}
ssize_t pwrite64(int file, const void *bytes, size_t length, off64_t at) { return pwrite(file, bytes, length, at); }
ssize_t writev(int file, const struct iovec *parts, int count) {
  if (!trace || file <= 2) return REAL(writev)(file, parts, count);
  return wrote(file, -1, parts, count, gathered);
}
ssize_t pwritev(int file, const struct iovec *parts, int count, off_t at) {
  return wrote(file, at, parts, count, gathered);
}
ssize_t pwritev64(int file, const struct iovec *parts, int count, off64_t at) { return pwritev(file, parts, count, at); }

static int synced(int (*real)(int), int file) {
  struct stat found;
  char path[4096];
  if (!concerns_file(file, &found, path, sizeof path)) return real(file);
  pthread_mutex_lock(&lock);
  int result = real(file), error = errno;
  if (result == 0)
    record(S_ISDIR(found.st_mode) ? "order" : "sync", found.st_ino, 0, path, NULL, NULL, 0, 0);
  pthread_mutex_unlock(&lock);
  errno = error;
  return result;
}
int fsync(int file) { return synced(REAL(fsync), file); }
int fdatasync(int file) { return synced(REAL(fdatasync), file); }

static int cut(int (*real)(int, off_t), int file, off_t size) {
  struct stat found;
  char path[4096];
  if (!concerns_file(file, &found, path, sizeof path)) return real(file, size);
  pthread_mutex_lock(&lock);
  int result = real(file, size), error = errno;
  if (result == 0) record("truncate", found.st_ino, size, path, NULL, NULL, 0, 0);
  pthread_mutex_unlock(&lock);
  errno = error;
  return result;
}
int ftruncate(int file, off_t size) { return cut(REAL(ftruncate), file, size); }
int ftruncate64(int file, off64_t size) { return cut(REAL(ftruncate), file, size); }
