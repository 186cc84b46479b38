# Processes, pipes, signals.
require "open3"
require "rbconfig"
require "shellwords"

def check(condition, what = caller(1..1).first)
  raise "not so: #{what}" unless condition
end

check `printf 'b\\na\\n' | sort | tr a-z A-Z` == "A\nB\n"
check !system("exit 3") && $?.exitstatus == 3
out, err, status = Open3.capture3("/bin/sh", "-c", "read line; echo got $line; echo err >&2", stdin_data: "it\n")
check [out, err, status.success?] == ["got it\n", "err\n", true]
reader, writer = IO.pipe
pid = fork { reader.close; writer.write("forked"); exit! 5 }
writer.close
check reader.read == "forked"
check Process.wait2(pid)[1].exitstatus == 5
pid = spawn("/bin/sleep", "60", pgroup: true)
Process.kill(:TERM, pid)
check Process.wait2(pid)[1].termsig == Signal.list["TERM"]
check IO.popen([RbConfig.ruby, "-e", "puts ARGV.first", "child"]).read == "child\n"
check "a b".shellescape == "a\\ b"
IO.popen("cat", "r+") { |io| io.write("there"); io.close_write; check io.read == "there" }

arrived = Queue.new
trap("USR1") { arrived << :usr1 }
Process.kill("USR1", Process.pid)
check arrived.pop == :usr1
check Process.clock_gettime(Process::CLOCK_MONOTONIC) > 0 && Process.times.utime >= 0
check Process.getrlimit(:NOFILE)[0] > 0 && Process.getpgrp > 0 && Process.ppid >= 0
sleep 0.01
check IO.select([reader], nil, nil, 0.01)
require "etc"
check Etc.getpwuid.name == "box" && Etc.nprocessors >= 1 && Etc.uname[:nodename] == "caisson"
puts "ok"
