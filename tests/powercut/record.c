/* Loaded before libc: writes down what a program does to the files below POWERCUT_DIR, with the data, in order, so that
   what a power cut would have left can be put together afterwards. Only what was synced counts as being on the disk.
   Mapped memory is not seen; SQLite maps only its -shm, which it makes anew. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { MADE = 1, OPENED, WRITE, CUT, SYNC_BEGIN, SYNC_END, RENAME, UNLINK, MKDIR };
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int out = -1;
static const char *below;
static unsigned char watched[65536];
static uint64_t tickets;
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

__attribute__((constructor)) static void begin(void) {
  below = getenv("POWERCUT_DIR");
  const char *log = getenv("POWERCUT_LOG");
  if (below && log) out = REAL(open)(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}
static int inside(const char *path) { return out >= 0 && path && !strncmp(path, below, strlen(below)); }
static uint64_t ino_of(int fd) { struct stat s; return fstat(fd, &s) ? 0 : s.st_ino; }
static uint64_t ino_at(const char *path) { struct stat s; return lstat(path, &s) ? 0 : s.st_ino; }
static void note(uint32_t op, uint64_t ino, uint64_t at, const void *data, uint32_t length) {
  struct { uint32_t op, length; uint64_t ino, at; } head = { op, length, ino, at };
  struct iovec parts[2] = { { &head, sizeof head }, { (void *)data, length } };
  if (REAL(writev)(out, parts, 2) != (ssize_t)(sizeof head + length)) abort();
}
static int track(int fd, const char *path, int is_new) {
  if (fd >= 0 && fd < 65536) {
    watched[fd] = inside(path);
    if (watched[fd]) note(is_new ? MADE : OPENED, ino_of(fd), 0, path, strlen(path));
  }
  return fd;
}
#define OPEN(name) int name(const char *path, int flags, ...) { \
  va_list more; va_start(more, flags); mode_t mode = va_arg(more, mode_t); va_end(more); \
  pthread_mutex_lock(&lock); int is_new = (flags & O_CREAT) && inside(path) && !ino_at(path); \
  int fd = track(REAL(open64)(path, flags, mode), path, is_new); \
  if (fd >= 0 && fd < 65536 && watched[fd] && (flags & O_TRUNC)) note(CUT, ino_of(fd), 0, "", 0); \
  pthread_mutex_unlock(&lock); return fd; }
OPEN(open64)
OPEN(open)
int close(int fd) { if (fd >= 0 && fd < 65536) watched[fd] = 0; return REAL(close)(fd); }
ssize_t write(int fd, const void *data, size_t length) {
  if (fd < 0 || fd >= 65536 || !watched[fd]) return REAL(write)(fd, data, length);
  pthread_mutex_lock(&lock);
  off_t at = (fcntl(fd, F_GETFL) & O_APPEND) ? lseek(fd, 0, SEEK_END) : lseek(fd, 0, SEEK_CUR);
  ssize_t done = REAL(write)(fd, data, length);
  if (done > 0) note(WRITE, ino_of(fd), at, data, done);
  pthread_mutex_unlock(&lock);
  return done;
}
ssize_t pwrite64(int fd, const void *data, size_t length, off64_t at) {
  if (fd < 0 || fd >= 65536 || !watched[fd]) return REAL(pwrite64)(fd, data, length, at);
  pthread_mutex_lock(&lock);
  ssize_t done = REAL(pwrite64)(fd, data, length, at);
  if (done > 0) note(WRITE, ino_of(fd), at, data, done);
  pthread_mutex_unlock(&lock);
  return done;
}
ssize_t pwrite(int fd, const void *data, size_t length, off_t at) { return pwrite64(fd, data, length, at); }
int ftruncate64(int fd, off64_t length) {
  pthread_mutex_lock(&lock);
  int done = REAL(ftruncate64)(fd, length);
  if (!done && fd < 65536 && watched[fd]) note(CUT, ino_of(fd), length, "", 0);
  pthread_mutex_unlock(&lock);
  return done;
}
int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }
/* what was written before a sync began is on the disk when it has ended; not sooner, not more */
#define SYNC(name) int name(int fd) { \
  if (fd < 0 || fd >= 65536 || !watched[fd]) return REAL(name)(fd); \
  pthread_mutex_lock(&lock); uint64_t ticket = ++tickets; note(SYNC_BEGIN, ino_of(fd), ticket, "", 0); pthread_mutex_unlock(&lock); \
  int done = REAL(name)(fd); \
  if (!done) { pthread_mutex_lock(&lock); note(SYNC_END, ino_of(fd), ticket, "", 0); pthread_mutex_unlock(&lock); } \
  return done; }
SYNC(fsync)
SYNC(fdatasync)
int rename(const char *from, const char *to) {
  pthread_mutex_lock(&lock);
  uint64_t ino = ino_at(from);
  int done = REAL(rename)(from, to);
  if (!done && inside(to)) {
    char both[8192];
    int length = snprintf(both, sizeof both, "%s%c%s", from, 0, to);
    note(RENAME, ino, 0, both, length);
  }
  pthread_mutex_unlock(&lock);
  return done;
}
int unlink(const char *path) {
  pthread_mutex_lock(&lock);
  uint64_t ino = ino_at(path);
  int done = REAL(unlink)(path);
  if (!done && inside(path)) note(UNLINK, ino, 0, path, strlen(path));
  pthread_mutex_unlock(&lock);
  return done;
}
int mkdir(const char *path, mode_t mode) {
  pthread_mutex_lock(&lock);
  int done = REAL(mkdir)(path, mode);
  if (!done && inside(path)) note(MKDIR, ino_at(path), 0, path, strlen(path));
  pthread_mutex_unlock(&lock);
  return done;
}
