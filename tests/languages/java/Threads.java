// Threads, pools, locks, futures, parallel streams, timers, processes.
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Timer;
import java.util.TimerTask;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

public class Threads {
  static void check(boolean condition) {
    if (!condition) {
      throw new AssertionError("not so");
    }
  }

  static void processes() throws IOException, InterruptedException {
    Process process = new ProcessBuilder("/bin/sh", "-c", "read line; echo got $line; echo err >&2; exit 3").start();
    process.getOutputStream().write("it\n".getBytes(StandardCharsets.UTF_8));
    process.getOutputStream().close();
    check(new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).equals("got it\n"));
    check(new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8).equals("err\n") && process.waitFor() == 3);
    Process sorted = Runtime.getRuntime().exec(new String[] {"sh", "-c", "printf 'b\\na\\n' | sort"});
    try (BufferedReader reader = sorted.inputReader()) {
      check(reader.readLine().equals("a"));
    }
    Process sleeper = new ProcessBuilder("/bin/sleep", "60").redirectErrorStream(true).start();
    sleeper.destroyForcibly();
    check(sleeper.waitFor() == 137 && ProcessHandle.current().pid() > 0 && !sleeper.isAlive());
  }

  public static void main(String[] args) throws Exception {
    AtomicLong counter = new AtomicLong();
    ConcurrentHashMap<Integer, Integer> shared = new ConcurrentHashMap<>();
    CyclicBarrier barrier = new CyclicBarrier(8);
    ExecutorService pool = Executors.newFixedThreadPool(8);
    List<Future<Integer>> futures = new ArrayList<>();
    for (int n = 0; n < 8; ++n) {
      int own = n;
      futures.add(pool.submit(() -> {
        barrier.await();
        for (int i = 0; i < 1000; ++i) {
          counter.incrementAndGet();
          shared.merge(i % 10, 1, Integer::sum);
        }
        return own * own;
      }));
    }
    int squares = 0;
    for (Future<Integer> future : futures) {
      squares += future.get();
    }
    pool.shutdown();
    check(squares == 140 && counter.get() == 8000 && shared.get(3) == 800 && pool.awaitTermination(5, TimeUnit.SECONDS));
    check(LongStream.rangeClosed(1, 1_000_000).parallel().sum() == 500000500000L);
    check(IntStream.range(0, 100).parallel().filter(n -> n % 2 == 0).count() == 50);
    CompletableFuture<Integer> chained = CompletableFuture.supplyAsync(() -> 20).thenCombine(CompletableFuture.supplyAsync(() -> 22), Integer::sum);
    check(chained.get(5, TimeUnit.SECONDS) == 42);

    CountDownLatch latch = new CountDownLatch(2);
    ScheduledExecutorService scheduler = Executors.newSingleThreadScheduledExecutor();
    scheduler.schedule(latch::countDown, 1, TimeUnit.MILLISECONDS);
    Timer timer = new Timer(true);
    timer.schedule(new TimerTask() {
      @Override
      public void run() {
        latch.countDown();
      }
    }, 1);
    check(latch.await(5, TimeUnit.SECONDS) && new Semaphore(1).tryAcquire() && new ReentrantReadWriteLock().readLock().tryLock());
    scheduler.shutdownNow();
    Object monitor = new Object();
    boolean[] ready = {false};
    Thread waiter = new Thread(() -> {
      synchronized (monitor) {
        ready[0] = true;
        monitor.notifyAll();
      }
    }, "waiter");
    synchronized (monitor) {
      waiter.start();
      while (!ready[0]) {
        monitor.wait();
      }
    }
    waiter.join();
    Thread interrupted = new Thread(() -> {
      try {
        Thread.sleep(60_000);
      } catch (InterruptedException expected) {
        counter.set(-1);
      }
    });
    interrupted.start();
    interrupted.interrupt();
    interrupted.join();
    check(counter.get() == -1 && Runtime.getRuntime().availableProcessors() == 1);
    processes();
    System.out.println("ok");
  }
}
