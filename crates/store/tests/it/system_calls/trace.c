/* Runs a program and writes down, in their order, the calls of the system with which it and its threads
   change files: trace LOG PROGRAM ARGUMENT ... A line is the call, its paths and its result, with tabs
   between. Linux 5.3 or later, any architecture. Ends with 125 when the system lets nobody trace. */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#define PATH_LEN 4096
#define TASKS 256
#define CANNOT_TRACE 125

/* What a task is about to do. */
struct task {
    pid_t id;
    const char *call;
    char from[PATH_LEN], to[PATH_LEN];
};

static struct task tasks[TASKS];

static struct task *task_of(pid_t id) {
    for (int i = 0; i < TASKS; i++) {
        if (tasks[i].id == id || tasks[i].id == 0) {
            tasks[i].id = id;
            return &tasks[i];
        }
    }
    fprintf(stderr, "too many threads\n");
    exit(1);
}

/* The file behind a number of the task. */
static void path_of_file(pid_t id, int number, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/%d/fd/%d", id, number);
    ssize_t len = readlink(link, path, PATH_LEN - 1);
    path[len < 0 ? 0 : len] = 0;
}

static void text_at(pid_t id, uint64_t address, char *text) {
    for (size_t len = 0; len < PATH_LEN - 1; len++) {
        struct iovec here = {text + len, 1}, there = {(void *)(uintptr_t)(address + len), 1};
        if (process_vm_readv(id, &here, 1, &there, 1, 0) != 1 || text[len] == 0) {
            text[len] = 0;
            return;
        }
    }
    text[PATH_LEN - 1] = 0;
}

/* The path at an address, as an absolute one: it may begin at a directory that is open. */
static void path_at(pid_t id, int directory, uint64_t address, char *path) {
    char text[PATH_LEN], base[PATH_LEN], link[64];
    text_at(id, address, text);
    if (text[0] == '/') {
        memcpy(path, text, PATH_LEN);
        return;
    }
    if (directory == AT_FDCWD) {
        snprintf(link, sizeof link, "/proc/%d/cwd", id);
        ssize_t len = readlink(link, base, PATH_LEN - 1);
        base[len < 0 ? 0 : len] = 0;
    } else {
        path_of_file(id, directory, base);
    }
    if (snprintf(path, PATH_LEN, "%s/%s", base, text) >= PATH_LEN) path[0] = 0;
}

/* Notes the call that begins, if it is one that counts. */
static void begin(struct task *task, const struct __ptrace_syscall_info *info) {
    const uint64_t *arguments = info->entry.args;
    pid_t id = task->id;
    task->call = NULL;
    task->from[0] = task->to[0] = 0;
    switch (info->entry.nr) {
#ifdef SYS_open
    case SYS_open:
        if (arguments[1] & O_CREAT) task->call = "create";
        path_at(id, AT_FDCWD, arguments[0], task->from);
        break;
    case SYS_creat:
        task->call = "create";
        path_at(id, AT_FDCWD, arguments[0], task->from);
        break;
    case SYS_rename:
        task->call = "rename";
        path_at(id, AT_FDCWD, arguments[0], task->from);
        path_at(id, AT_FDCWD, arguments[1], task->to);
        break;
    case SYS_unlink:
        task->call = "remove";
        path_at(id, AT_FDCWD, arguments[0], task->from);
        break;
    case SYS_mkdir:
        task->call = "make";
        path_at(id, AT_FDCWD, arguments[0], task->from);
        break;
    case SYS_link:
        task->call = "link";
        path_at(id, AT_FDCWD, arguments[0], task->from);
        path_at(id, AT_FDCWD, arguments[1], task->to);
        break;
#endif
    case SYS_openat:
        if (arguments[2] & O_CREAT) task->call = "create";
        path_at(id, (int)arguments[0], arguments[1], task->from);
        break;
    case SYS_openat2:
        task->call = "create";
        path_at(id, (int)arguments[0], arguments[1], task->from);
        break;
#ifdef SYS_renameat
    case SYS_renameat:
#endif
    case SYS_renameat2:
        task->call = "rename";
        path_at(id, (int)arguments[0], arguments[1], task->from);
        path_at(id, (int)arguments[2], arguments[3], task->to);
        break;
    case SYS_linkat:
        task->call = "link";
        path_at(id, (int)arguments[0], arguments[1], task->from);
        path_at(id, (int)arguments[2], arguments[3], task->to);
        break;
    case SYS_unlinkat:
        task->call = "remove";
        path_at(id, (int)arguments[0], arguments[1], task->from);
        break;
    case SYS_mkdirat:
        task->call = "make";
        path_at(id, (int)arguments[0], arguments[1], task->from);
        break;
    case SYS_write:
    case SYS_pwrite64:
    case SYS_writev:
    case SYS_pwritev:
    case SYS_pwritev2:
    case SYS_ftruncate:
    case SYS_fallocate:
        task->call = "write";
        path_of_file(id, (int)arguments[0], task->from);
        break;
    case SYS_sendfile:
        task->call = "write";
        path_of_file(id, (int)arguments[0], task->from);
        break;
    case SYS_copy_file_range:
        task->call = "write";
        path_of_file(id, (int)arguments[2], task->from);
        break;
    case SYS_fsync:
    case SYS_fdatasync:
        task->call = "sync";
        path_of_file(id, (int)arguments[0], task->from);
        break;
    /* What goes this way is not seen here. */
    case SYS_io_uring_setup:
        task->call = "ring";
        break;
    }
}

static void end(FILE *log, struct task *task, const struct __ptrace_syscall_info *info) {
    if (task->call && !info->exit.is_error) {
        fprintf(log, "%s\t%s\t%s\n", task->call, task->from, task->to);
    }
    task->call = NULL;
}

static void at_call(FILE *log, pid_t id) {
    struct __ptrace_syscall_info info;
    if (ptrace(PTRACE_GET_SYSCALL_INFO, id, sizeof info, &info) <= 0) return;
    if (info.op == PTRACE_SYSCALL_INFO_ENTRY) begin(task_of(id), &info);
    if (info.op == PTRACE_SYSCALL_INFO_EXIT) end(log, task_of(id), &info);
}

int main(int count, char **arguments) {
    if (count < 3) return 2;
    FILE *log = fopen(arguments[1], "w");
    if (!log) return 2;
    pid_t child = fork();
    if (child == 0) {
        if (ptrace(PTRACE_TRACEME, 0, 0, 0) != 0) _exit(CANNOT_TRACE);
        raise(SIGSTOP);
        execv(arguments[2], arguments + 2);
        _exit(2);
    }
    int status;
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFSTOPPED(status)) return CANNOT_TRACE;
    long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                   PTRACE_O_EXITKILL;
    if (ptrace(PTRACE_SETOPTIONS, child, 0, options) != 0) return CANNOT_TRACE;
    ptrace(PTRACE_SYSCALL, child, 0, 0);
    for (;;) {
        pid_t id = waitpid(-1, &status, __WALL);
        if (id < 0) return 2;
        if (WIFEXITED(status) || WIFSIGNALED(status)) {
            if (id != child) continue;
            return fclose(log) != 0 ? 2 : WIFEXITED(status) ? WEXITSTATUS(status) : 1;
        }
        int signal = WSTOPSIG(status);
        int is_call = signal == (SIGTRAP | 0x80);
        if (is_call) at_call(log, id);
        /* A new thread begins with a stop; others are passed on. */
        int passed = is_call || signal == SIGTRAP || signal == SIGSTOP ? 0 : signal;
        ptrace(PTRACE_SYSCALL, id, 0, passed);
    }
}
