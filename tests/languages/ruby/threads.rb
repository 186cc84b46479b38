# Threads, queues, mutexes, fibers, ractors, time limits.
require "timeout"

def check(condition, what = caller(1..1).first)
  raise "not so: #{what}" unless condition
end

queue = Queue.new
counter = 0
lock = Mutex.new
workers = Array.new(8) { Thread.new { while (job = queue.pop) != :stop; lock.synchronize { counter += job }; end } }
200.times { |n| queue << n }
8.times { queue << :stop }
workers.each(&:join)
check counter == 19_900

check Thread.new { Thread.current[:name] = "x"; 42 }.value == 42
ready = ConditionVariable.new
flag = false
waiter = Thread.new { lock.synchronize { ready.wait(lock, 5) until flag; :woken } }
lock.synchronize { flag = true; ready.broadcast }
check waiter.value == :woken

fiber = Fiber.new { |a| b = Fiber.yield(a * 2); b + 1 }
check fiber.resume(4) == 8 && fiber.resume(9) == 10
check (1..Float::INFINITY).lazy.select(&:even?).first(3) == [2, 4, 6]

$VERBOSE = nil
Warning[:experimental] = false
ractors = 4.times.map { |n| Ractor.new(n) { |m| m * m } }
check ractors.map(&:take) == [0, 1, 4, 9]

begin
  Timeout.timeout(0.02) { sleep 30 }
  raise "it slept"
rescue Timeout::Error
  puts "ok"
end
