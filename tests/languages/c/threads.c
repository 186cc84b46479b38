// Threads of POSIX and of C11, locks, conditions, barriers, semaphores, thread-local storage, atomics.
#define _GNU_SOURCE
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#define CHECK(condition) \
  ((condition) ? (void)0 : (fprintf(stderr, "not so: line %d: %s\n", __LINE__, #condition), exit(1)))

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static sem_t semaphore;
static atomic_long sum;
static int ready;
static _Thread_local int own;

static void* work(void* argument) {
  pthread_barrier_wait(&barrier);
  for (int i = 0; i < 10000; ++i) {
    atomic_fetch_add(&sum, 1);
  }
  own = (int)(long)argument;
  pthread_mutex_lock(&mutex);
  ++ready;
  pthread_cond_signal(&condition);
  pthread_mutex_unlock(&mutex);
  sem_wait(&semaphore);
  return (void*)(long)own;
}

static int c11(void* argument) { return *(int*)argument + 1; }

static void* forever(void* unused) {
  for (;;) {
    pause();
  }
  return unused;
}

int main(void) {
  enum { kThreads = 16 };
  pthread_t threads[kThreads];
  pthread_barrier_init(&barrier, NULL, kThreads);
  sem_init(&semaphore, 0, 0);
  for (long i = 0; i < kThreads; ++i) {
    CHECK(pthread_create(&threads[i], NULL, work, (void*)i) == 0);
    pthread_setname_np(threads[i], "worker");
  }
  pthread_mutex_lock(&mutex);
  while (ready < kThreads) {
    pthread_cond_wait(&condition, &mutex);
  }
  pthread_mutex_unlock(&mutex);
  for (int i = 0; i < kThreads; ++i) {
    sem_post(&semaphore);
  }
  for (long i = 0; i < kThreads; ++i) {
    void* result = NULL;
    CHECK(pthread_join(threads[i], &result) == 0 && (long)result == i);
  }
  CHECK(sum == 10000L * kThreads);

  thrd_t thread;
  int argument = 41, result = 0;
  CHECK(thrd_create(&thread, c11, &argument) == thrd_success && thrd_join(thread, &result) == thrd_success &&
        result == 42);

  CHECK(pthread_create(&threads[0], NULL, forever, NULL) == 0);
  CHECK(pthread_cancel(threads[0]) == 0 && pthread_join(threads[0], NULL) == 0);
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_nsec = (until.tv_nsec + 1000000) % 1000000000;
  pthread_mutex_lock(&mutex);
  while (pthread_cond_timedwait(&condition, &mutex, &until) == 0) {
  }
  pthread_mutex_unlock(&mutex);
  sem_t* named = sem_open("/caisson-named", 0x40 /* O_CREAT */, 0600, 1);
  CHECK(named != SEM_FAILED && sem_wait(named) == 0 && sem_close(named) == 0 &&
        sem_unlink("/caisson-named") == 0);
  puts("ok");
  return 0;
}
