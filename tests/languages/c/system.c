// What POSIX programs do: files, directories, memory maps, processes, pipes, signals, timers, local sockets.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <locale.h>
#include <poll.h>
#include <pwd.h>
#include <regex.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHECK(condition) \
  ((condition) ? (void)0 : (fprintf(stderr, "not so: line %d: %s: %m\n", __LINE__, #condition), exit(1)))

extern char** environ;
static volatile sig_atomic_t alarms;

static void on_alarm(int number) {
  (void)number;
  ++alarms;
}

static int visit(const char* path, const struct stat* info, int kind, struct FTW* place) {
  (void)info, (void)kind, (void)place;
  return remove(path);
}

static void files(void) {
  char root[] = "/tmp/tree-XXXXXX", buffer[64], path[4096];
  CHECK(mkdtemp(root) && chdir(root) == 0 && mkdir("deep", 0755) == 0);
  FILE* stream = fopen("a.txt", "w+");
  CHECK(stream && fprintf(stream, "%d %s\n", 42, "words") > 0 && fflush(stream) == 0 &&
        fseek(stream, 0, SEEK_SET) == 0);
  int number = 0;
  CHECK(fscanf(stream, "%d %63s", &number, buffer) == 2 && number == 42 && strcmp(buffer, "words") == 0 &&
        fclose(stream) == 0);
  int fd = open("b", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  struct iovec parts[2] = {{"hello ", 6}, {"world", 5}};
  CHECK(writev(fd, parts, 2) == 11 && pread(fd, buffer, 5, 6) == 5 && memcmp(buffer, "world", 5) == 0);
  CHECK(ftruncate(fd, 8192) == 0 && posix_fallocate(fd, 0, 8192) == 0 && fsync(fd) == 0 &&
        flock(fd, LOCK_EX) == 0 && lockf(fd, F_TLOCK, 0) == 0);
  char* map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  CHECK(map != MAP_FAILED && memcmp(map, "hello", 5) == 0 && msync(map, 8192, MS_SYNC) == 0 &&
        munmap(map, 8192) == 0 && close(fd) == 0);
  CHECK(link("b", "hard") == 0 && symlink("b", "soft") == 0 && rename("a.txt", "deep/c") == 0 &&
        chmod("b", 0640) == 0 && realpath("soft", path));
  struct stat info;
  struct timespec times[2] = {{1, 0}, {2, 0}};
  CHECK(utimensat(AT_FDCWD, "b", times, 0) == 0 && stat("b", &info) == 0 && info.st_mtime == 2 &&
        info.st_nlink == 2 && mkfifo("fifo", 0600) == 0);
  DIR* directory = opendir(".");
  int entries = 0;
  while (readdir(directory)) {
    ++entries;
  }
  closedir(directory);
  glob_t found;
  struct statvfs space;
  CHECK(entries == 7 && glob("*", 0, NULL, &found) == 0 && found.gl_pathc == 5 && statvfs(".", &space) == 0 &&
        space.f_blocks > 0);
  globfree(&found);
  FILE* temporary = tmpfile();
  CHECK(temporary && fputs("x", temporary) >= 0 && fclose(temporary) == 0 && access("/usr", W_OK) != 0);
  CHECK(chdir("/") == 0 && nftw(root, visit, 8, FTW_DEPTH | FTW_PHYS) == 0);
}

static void processes(void) {
  int ends[2], status = 0;
  char buffer[64] = {0};
  CHECK(pipe2(ends, O_CLOEXEC) == 0);
  pid_t child = fork();
  if (child == 0) {
    _exit(write(ends[1], "forked", 6) == 6 ? 5 : 1);
  }
  CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 5 &&
        read(ends[0], buffer, sizeof buffer) == 6);
  char* argv[] = {"sh", "-c", "exit 3", NULL};
  CHECK(posix_spawn(&child, "/bin/sh", NULL, NULL, argv, environ) == 0 &&
        waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 3);
  CHECK(WEXITSTATUS(system("exit 4")) == 4);
  FILE* stream = popen("printf 'b\\na\\n' | sort", "r");
  CHECK(stream && fgets(buffer, sizeof buffer, stream) && strcmp(buffer, "a\n") == 0 && pclose(stream) != -1);
  child = vfork();
  if (child == 0) {
    execl("/bin/true", "true", (char*)NULL);
    _exit(127);
  }
  siginfo_t info;
  CHECK(waitid(P_PID, (id_t)child, &info, WEXITED) == 0 && info.si_status == 0);
  child = fork();
  if (child == 0) {
    setpgid(0, 0);
    for (;;) {
      pause();
    }
  }
  CHECK(kill(child, SIGTERM) == 0 && waitpid(child, &status, 0) == child && WTERMSIG(status) == SIGTERM);
  struct rusage usage;
  struct rlimit limit;
  struct utsname name;
  CHECK(getrusage(RUSAGE_CHILDREN, &usage) == 0 && getrlimit(RLIMIT_STACK, &limit) == 0 &&
        limit.rlim_cur >= 8 << 20 && uname(&name) == 0);
  CHECK(strcmp(name.nodename, "caisson") == 0 && strcmp(getpwuid(getuid())->pw_name, "box") == 0 &&
        sysconf(_SC_NPROCESSORS_ONLN) > 0 && nice(0) >= 0);
}

static void signals_and_timers(void) {
  struct sigaction action = {.sa_handler = on_alarm};
  CHECK(sigaction(SIGALRM, &action, NULL) == 0);
  struct itimerval interval = {{0, 1000}, {0, 1000}};
  CHECK(setitimer(ITIMER_REAL, &interval, NULL) == 0);
  while (alarms < 3) {
    pause();
  }
  memset(&interval, 0, sizeof interval);
  setitimer(ITIMER_REAL, &interval, NULL);
  timer_t timer;
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
  struct itimerspec soon = {{0, 0}, {0, 1000000}};
  CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0 && timer_settime(timer, 0, &soon, NULL) == 0);
  while (alarms < 4) {
    struct timespec wait = {1, 0};
    nanosleep(&wait, NULL);
  }
  CHECK(timer_delete(timer) == 0);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
  int signals = signalfd(-1, &set, SFD_CLOEXEC), number = 0, events = eventfd(0, EFD_CLOEXEC),
      timers = timerfd_create(CLOCK_MONOTONIC, 0), loop = epoll_create1(0);
  struct epoll_event wanted = {.events = EPOLLIN};
  CHECK(raise(SIGUSR1) == 0 && epoll_ctl(loop, EPOLL_CTL_ADD, signals, &wanted) == 0 &&
        epoll_wait(loop, &wanted, 1, 1000) == 1);
  CHECK(sigwait(&set, &number) == 0 && number == SIGUSR1 && eventfd_write(events, 1) == 0 &&
        timerfd_settime(timers, 0, &soon, NULL) == 0);
  struct pollfd polled[2] = {{events, POLLIN, 0}, {timers, POLLIN, 0}};
  CHECK(poll(polled, 2, 1000) >= 1);
  fd_set reading;
  FD_ZERO(&reading);
  FD_SET(timers, &reading);
  CHECK(select(timers + 1, &reading, NULL, NULL, NULL) == 1);
}

static void sockets(void) {
  int pair[2];
  char buffer[16];
  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 && send(pair[0], "pair", 4, 0) == 4 &&
        recv(pair[1], buffer, sizeof buffer, 0) == 4);
  int server = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
  struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/tmp/server"};
  CHECK(bind(server, (struct sockaddr*)&address, sizeof address) == 0 && listen(server, 1) == 0 &&
        connect(client, (struct sockaddr*)&address, sizeof address) == 0);
  int accepted = accept(server, NULL, NULL);
  CHECK(write(client, "local", 5) == 5 && read(accepted, buffer, sizeof buffer) == 5 &&
        shutdown(client, SHUT_RDWR) == 0 && unlink("/tmp/server") == 0);
}

int main(void) {
  CHECK(setlocale(LC_ALL, "") && getrandom(&(char){0}, 1, 0) == 1 && setvbuf(stdout, NULL, _IOLBF, 0) == 0);
  files();
  processes();
  signals_and_timers();
  sockets();
  regex_t expression;
  regmatch_t match;
  CHECK(regcomp(&expression, "b+", REG_EXTENDED) == 0 && regexec(&expression, "abbc", 1, &match, 0) == 0 &&
        match.rm_so == 1);
  setenv("TZ", "Europe/Berlin", 1);
  tzset();
  time_t then = 1719828000;
  char text[32];
  CHECK(strftime(text, sizeof text, "%A %H:%M %Z", localtime(&then)) &&
        strcmp(text, "Monday 12:00 CEST") == 0);
  puts("ok");
  return 0;
}
