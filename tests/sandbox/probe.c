/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The payload of the sandbox tests: a static program that looks from inside. Each argument is a command of words, and
 * gives a line "COMMAND = RESULT"; what fails gives the name of the errno. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/mount.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

int mount(const char *, const char *, const char *, unsigned long, const void *);
int umount2(const char *, int);

#define WORDS_MAX 8

static void say_errno(long r) {
        fputs(r >= 0 ? "ok" : strerrorname_np(errno) ?: "?", stdout);
}

static void do_cat(char **w) {
        int fd = open(w[1], O_RDONLY | O_NONBLOCK | O_NOCTTY);
        char buffer[65536];
        ssize_t n;

        if (fd < 0) {
                say_errno(-1);
                return;
        }
        while ((n = read(fd, buffer, sizeof(buffer))) > 0)
                fwrite(buffer, 1, (size_t) n, stdout);
        if (n < 0)
                say_errno(n);
        close(fd);
}

/* One line of a file: "status /proc/self/status CapEff". */
static void do_field(char **w) {
        char line[1024];
        FILE *f = fopen(w[1], "r");

        if (!f) {
                say_errno(-1);
                return;
        }
        while (fgets(line, sizeof(line), f))
                if (strncmp(line, w[2], strlen(w[2])) == 0 && line[strlen(w[2])] == ':') {
                        char *v = line + strlen(w[2]) + 1;

                        v += strspn(v, " \t");
                        v[strcspn(v, "\n")] = 0;
                        fputs(v, stdout);
                }
        fclose(f);
}

static void do_open(char **w) {
        int flags = strcmp(w[2], "w") == 0 ? O_WRONLY : strcmp(w[2], "c") == 0 ? O_WRONLY | O_CREAT : O_RDONLY;
        int fd = open(w[1], flags | O_NONBLOCK | O_NOCTTY, 0644);

        say_errno(fd);
        if (fd >= 0)
                close(fd);
}

static void do_write(char **w) {
        int fd = open(w[1], O_WRONLY | O_CREAT | O_NONBLOCK | O_NOCTTY, 0644);

        say_errno(fd < 0 ? fd : write(fd, w[2], strlen(w[2])));
        if (fd >= 0)
                close(fd);
}

static void do_stat(char **w) {
        struct stat st;

        if (lstat(w[1], &st) < 0)
                say_errno(-1);
        else
                printf("%06o %u:%u %u:%u", st.st_mode, st.st_uid, st.st_gid, major(st.st_rdev), minor(st.st_rdev));
}

static int by_name(const struct dirent **a, const struct dirent **b) {
        return strcmp((*a)->d_name, (*b)->d_name);
}

static void do_list(char **w) {
        struct dirent **names;
        int n = scandir(w[1], &names, NULL, by_name);

        if (n < 0)
                say_errno(n);
        for (int i = 0; i < n; i++)
                if (names[i]->d_name[0] != '.')
                        printf("%s ", names[i]->d_name);
}

static void do_fds(char **w) {
        for (int fd = 0; fd < 1024; fd++)
                if (fcntl(fd, F_GETFD) >= 0)
                        printf("%d ", fd);
}

static void do_ids(char **w) {
        gid_t groups[64];
        int n = getgroups(64, groups);

        printf("%u:%u", getuid(), getgid());
        for (int i = 0; i < n; i++)
                printf("+%u", groups[i]);
}

static void do_process(char **w) {
        printf("%d %d %d", getpid(), getsid(0) == getpid(), (int) umask(0));
}

static void do_link(char **w) {
        char target[4096];
        ssize_t n = readlink(w[1], target, sizeof(target) - 1);

        if (n < 0)
                say_errno(n);
        else
                printf("%.*s", (int) n, target);
}

static void do_mkdir(char **w) {
        say_errno(mkdir(w[1], 0755));
}

static void do_mknod(char **w) {
        say_errno(mknod(w[1], S_IFBLK | 0666, makedev((unsigned) atoi(w[2]), (unsigned) atoi(w[3]))));
}

static void do_chmod(char **w) {
        say_errno(chmod(w[1], (mode_t) strtoul(w[2], NULL, 8)));
}

static void do_chown(char **w) {
        say_errno(chown(w[1], (uid_t) atoi(w[2]), (gid_t) atoi(w[3])));
}

static void do_exec(char **w) {
        pid_t pid = fork();
        int status;

        if (pid == 0) {
                execl(w[1], w[1], NULL);
                _exit(errno);
        }
        waitpid(pid, &status, 0);
        errno = WEXITSTATUS(status);
        say_errno(errno == 0 ? 0 : -1);
}

static void do_mount(char **w) {
        say_errno(mount(w[1], w[2], w[1], 0, NULL));
}

static void do_remount(char **w) {
        say_errno(mount(NULL, w[1], NULL, 4096 | 32 /* MS_BIND|MS_REMOUNT */, NULL));
}

static void do_umount(char **w) {
        say_errno(umount2(w[1], 2 /* MNT_DETACH */));
}

static void do_setns(char **w) {
        int fd = open(w[1], O_RDONLY);

        say_errno(fd < 0 ? fd : setns(fd, 0));
}

static void do_unshare(char **w) {
        say_errno(unshare((int) strtoul(w[1], NULL, 0)));
}

/* The classic way out: a root below the working directory. */
static void do_breakout(char **w) {
        int fd = open("/", O_RDONLY | O_DIRECTORY);
        struct stat st;

        if (mkdir("/tmp/jail", 0755) < 0 && errno != EEXIST) {
                say_errno(-1);
                return;
        }
        if (chroot("/tmp/jail") < 0 || fchdir(fd) < 0) {
                say_errno(-1);
                return;
        }
        for (int i = 0; i < 64; i++)
                if (chdir("..") < 0)
                        break;
        if (chroot(".") < 0)
                say_errno(-1);
        else
                say_errno(stat(w[1], &st));
}

static void do_handle(char **w) {
        struct {
                struct file_handle h;
                unsigned char bytes[8];
        } root = { .h = { .handle_bytes = 8, .handle_type = 1 }, .bytes = { 2 } };
        int dir = open("/", O_RDONLY), fd;

        fd = open_by_handle_at(dir, &root.h, O_RDONLY);
        say_errno(fd);
}

static void do_ptrace(char **w) {
        say_errno(ptrace(PTRACE_ATTACH, atoi(w[1]), NULL, NULL));
}

static void do_syscall(char **w) {
        say_errno(syscall(strtol(w[1], NULL, 0), w[2] ? strtoul(w[2], NULL, 0) : 0, w[3] ? strtoul(w[3], NULL, 0) : 0,
                w[4] ? strtoul(w[4], NULL, 0) : 0));
}

static void do_loopback(char **w) {
        int fd = socket(AF_INET, SOCK_DGRAM, 0);
        struct ifreq r = { .ifr_name = "lo" };

        if (ioctl(fd, SIOCGIFFLAGS, &r) < 0)
                say_errno(-1);
        else
                fputs(r.ifr_flags & IFF_UP ? "up" : "down", stdout);
        close(fd);
}

static void do_hostname(char **w) {
        struct utsname u;

        uname(&u);
        fputs(u.nodename, stdout);
}

static void do_limit(char **w) {
        struct rlimit l;

        getrlimit(atoi(w[1]), &l);
        printf("%llu:%llu", (unsigned long long) l.rlim_cur, (unsigned long long) l.rlim_max);
}

static void do_env(char **w) {
        fputs(getenv(w[1]) ?: "unset", stdout);
}

static void do_cwd(char **w) {
        char path[4096];

        fputs(getcwd(path, sizeof(path)) ?: "?", stdout);
}

static void do_tty(char **w) {
        printf("%s %d", ttyname(0) ?: "none", tcgetsid(0) == getpid());
}

/* A grandchild that only process 1 can reap. */
static void do_orphan(char **w) {
        int fds[2];
        pid_t pid;
        char c;

        if (pipe(fds) < 0)
                return;
        pid = fork();
        if (pid == 0) {
                if (fork() == 0)
                        _exit(0); /* closes the last copy of the pipe's end */
                _exit(0);
        }
        waitpid(pid, NULL, 0);
        close(fds[1]);
        (void) !read(fds[0], &c, 1);
        fputs("ok", stdout);
}

static volatile sig_atomic_t caught;

static void catch(int signal) {
        caught = signal;
}

/* Says that it is ready, and which signal came then. */
static void do_signal(char **w) {
        sigset_t set, none;

        sigemptyset(&set);
        sigemptyset(&none);
        sigaddset(&set, atoi(w[1]));
        sigprocmask(SIG_BLOCK, &set, NULL);
        signal(atoi(w[1]), catch);
        printf("ready ");
        fflush(stdout);
        sigsuspend(&none);
        printf("%d", (int) caught);
}

static void do_sleep(char **w) {
        printf("ready");
        fflush(stdout);
        pause();
}

static void do_exit(char **w) {
        fflush(stdout);
        exit(atoi(w[1]));
}

static const struct {
        const char *name;
        void (*run)(char **words);
} commands[] = {
        { "breakout", do_breakout }, { "cat", do_cat },         { "chmod", do_chmod },       { "chown", do_chown },
        { "cwd", do_cwd },           { "env", do_env },         { "exec", do_exec },         { "exit", do_exit },
        { "fds", do_fds },           { "field", do_field },     { "handle", do_handle },     { "hostname", do_hostname },
        { "ids", do_ids },           { "limit", do_limit },     { "link", do_link },         { "list", do_list },
        { "loopback", do_loopback }, { "mkdir", do_mkdir },     { "mknod", do_mknod },       { "mount", do_mount },
        { "open", do_open },         { "orphan", do_orphan },   { "process", do_process },   { "ptrace", do_ptrace },
        { "remount", do_remount },   { "setns", do_setns },     { "signal", do_signal },     { "sleep", do_sleep },
        { "stat", do_stat },         { "syscall", do_syscall }, { "tty", do_tty },           { "umount", do_umount },
        { "unshare", do_unshare },   { "write", do_write },
};

static void run(char *command) {
        char *words[WORDS_MAX] = { NULL }, *rest = command;
        size_t n = 0;

        for (char *word; n < WORDS_MAX - 1 && (word = strsep(&rest, " "));)
                words[n++] = word;
        for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
                if (strcmp(words[0], commands[i].name) == 0) {
                        commands[i].run(words);
                        return;
                }
        fputs("unknown", stdout);
}

int main(int argc, char *argv[]) {
        for (int i = 1; i < argc; i++) {
                printf("%s = ", argv[i]);
                run(argv[i]);
                putchar('\n');
                fflush(stdout);
        }
        return 0;
}
