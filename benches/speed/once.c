/* Runs a program once, without its output, and prints its wall-clock seconds and its peak resident set in KiB.
 *
 * Python cannot measure this itself: Linux counts the memory a child shares with its parent until exec as the child's own,
 * so that the smallest program would seem as large as the interpreter that started it. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

static double now(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
    posix_spawn_file_actions_t actions;
    struct rusage usage;
    pid_t child;
    int status;

    if (argc < 2)
        return 2;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    double began = now();
    if (posix_spawnp(&child, argv[1], &actions, NULL, argv + 1, environ) != 0)
        return 127;
    if (wait4(child, &status, 0, &usage) != child)
        return 127;
    double took = now() - began;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return 1;
    printf("%.9f %ld\n", took, usage.ru_maxrss);
    return 0;
}
