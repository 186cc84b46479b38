"""Threads, locks, queues, pools of threads and of processes."""
import concurrent.futures
import multiprocessing
import multiprocessing.shared_memory
import queue
import threading


def square(value):
    return value * value


def main():
    jobs, results, lock, seen = queue.Queue(), queue.Queue(), threading.Lock(), []

    def work():
        while (job := jobs.get()) is not None:
            with lock:
                seen.append(job)
            results.put(job * 2)

    workers = [threading.Thread(target=work, name=f"worker-{n}") for n in range(8)]
    for worker in workers:
        worker.start()
    for job in range(200):
        jobs.put(job)
    for _ in workers:
        jobs.put(None)
    for worker in workers:
        worker.join()
    assert sorted(seen) == list(range(200))
    assert sum(results.get() for _ in range(200)) == 39800

    barrier, event = threading.Barrier(3), threading.Event()
    timer = threading.Timer(0.01, event.set)
    waiters = [threading.Thread(target=barrier.wait) for _ in range(2)]
    for thread in [timer, *waiters]:
        thread.start()
    barrier.wait()
    assert event.wait(5)
    for thread in [timer, *waiters]:
        thread.join()

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        assert list(pool.map(square, range(5))) == [0, 1, 4, 9, 16]
    for method in ("fork", "spawn"):
        context = multiprocessing.get_context(method)
        with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as pool:
            assert list(pool.map(square, range(5))) == [0, 1, 4, 9, 16]
    with multiprocessing.Manager() as manager:
        shared = manager.dict()
        shared["a"] = 1
        assert dict(shared) == {"a": 1}
    memory = multiprocessing.shared_memory.SharedMemory(create=True, size=4096)
    memory.buf[:2] = b"hi"
    assert bytes(memory.buf[:2]) == b"hi"
    memory.close()
    memory.unlink()
    print("ok")


if __name__ == "__main__":
    main()
