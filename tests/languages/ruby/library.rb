# Text, numbers, dates, hashes, random numbers, local sockets.
require "base64"
require "benchmark"
require "bigdecimal"
require "date"
require "digest"
require "erb"
require "json"
require "matrix"
require "openssl"
require "prime"
require "securerandom"
require "set"
require "socket"
require "strscan"
require "time"
require "io/console"
require "logger"

def check(condition, what = caller(1..1).first)
  raise "not so: #{what}" unless condition
end

check JSON.parse(JSON.generate("ä" => [1, 2.5, nil, true])) == { "ä" => [1, 2.5, nil, true] }
check "me@home you@work".gsub(/(\w+)@(?<place>\w+)/) { "at #{$~[:place]}" } == "at home at work"
check "é".unicode_normalize(:nfd).length == 2 && "ü".upcase == "Ü" && "ü".encode("ISO-8859-1").bytes == [252]
check ERB.new("<%= 1 + 1 %>").result == "2" && format("%05.1f|%-4s|%x", 3.14159, "ab", 255) == "003.1|ab  |ff"
check 3**5000 % 1_000_007 == 3.pow(5000, 1_000_007) && BigDecimal("0.1") * 3 == BigDecimal("0.3") && Rational(1, 3) * 3 == 1
check Prime.first(5) == [2, 3, 5, 7, 11] && Matrix[[1, 2], [3, 4]].determinant == -2
ENV["TZ"] = "Europe/Berlin"
check Time.utc(2024, 7, 1, 10).getlocal.strftime("%A %H:%M %Z") == "Monday 12:00 CEST"
check Date.new(2024, 2, 28) + 2 == Date.new(2024, 3, 1) && Time.iso8601("2024-07-01T10:00:00Z").year == 2024

check Digest::SHA256.hexdigest("").start_with?("e3b0c442") && OpenSSL::HMAC.hexdigest("SHA256", "k", "m").size == 64
cipher = OpenSSL::Cipher.new("aes-256-gcm").encrypt
cipher.key = SecureRandom.bytes(32)
cipher.iv = SecureRandom.bytes(12)
check (cipher.update("secret") + cipher.final).bytesize == 6
check OpenSSL::PKey::RSA.new(1024).public_key && SecureRandom.uuid =~ /\A[0-9a-f-]{36}\z/ && Random.new(1).rand(100) == 37
check Base64.strict_decode64(Base64.strict_encode64("x")) == "x"

values = Array.new(300_000) { rand }
check values.sort.first == values.min && values.group_by { |v| (v * 10).to_i }.size == 10
table = Hash.new { |h, n| h[n] = n < 2 ? n : h[n - 1] + h[n - 2] }
check table[90] == 2880067194370816120
check Marshal.load(Marshal.dump([1, { a: Set[1, 2] }])) == [1, { a: Set[1, 2] }]
GC.start
check ObjectSpace.count_objects[:TOTAL] > 0
def deep(n) = n.zero? ? 0 : 1 + deep(n - 1)
check deep(5000) == 5000
begin
  deep(10_000_000)
  raise "no end"
rescue SystemStackError
  check true
end

left, right = UNIXSocket.pair
left.write("pair")
check right.readpartial(10) == "pair"
server = UNIXServer.new("/tmp/server")
echo = Thread.new { s = server.accept; s.write(s.gets); s.close }
client = UNIXSocket.new("/tmp/server")
client.puts("echo")
check client.read == "echo\n"
echo.join
check Socket.gethostname == "caisson" && !$stdout.tty? && IO.console.nil?
Logger.new($stdout, formatter: ->(_, _, _, m) { "#{m}\n" }).info("ok")
