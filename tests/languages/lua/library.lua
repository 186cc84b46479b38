-- Everything Lua's standard library has: files, processes, text, numbers, dates, coroutines.
local file <close> = assert(io.open("a.txt", "w+"))
assert(file:write(("zeile\n"):rep(20000)))
assert(file:seek("set", 6) == 6 and file:read("l") == "zeile" and file:setvbuf("full", 1024) and file:flush())
local lines = 0
for _ in io.lines("a.txt") do lines = lines + 1 end
assert(lines == 20000 and os.rename("a.txt", "b.txt") and not io.open("a.txt"))
local name = os.tmpname()
assert(name:match("^/tmp/") and os.remove(name))
local temporary = io.tmpfile()
temporary:write("x")
temporary:seek("set")
assert(temporary:read("a") == "x" and not io.open("/usr/x", "w"))

local pipe = io.popen("printf 'b\\na\\n' | sort | tr a-z A-Z")
assert(pipe:read("a") == "A\nB\n" and pipe:close())
local ok, how, code = os.execute("exit 3")
assert(not ok and how == "exit" and code == 3 and os.getenv("HOME") == "/box")

assert(("me@home you@work"):gsub("(%w+)@(%w+)", "%2 at %1") == "home at me work at you")
assert(utf8.char(252) == "ü" and utf8.len("ü") == 1 and ("%05.1f|%-4s|%x"):format(3.14159, "ab", 255) == "003.1|ab  |ff")
assert(string.unpack("<I4", string.pack("<I4", 7)) == 7 and 7 // 2 == 3 and 2 ^ 10 == 1024 and math.maxinteger + 1 == math.mininteger)
assert(os.date("!%A %H:%M", 1719828000) == "Monday 10:00" and os.time() > 1.7e9 and os.clock() >= 0 and os.setlocale("C.UTF-8"))
assert(load("return 1 + 1")() == 2 and select("#", table.unpack({ 1, 2, 3 })) == 3)

math.randomseed(1)
local values = {}
for i = 1, 300000 do values[i] = math.random() end
table.sort(values)
for i = 2, #values do assert(values[i - 1] <= values[i]) end
local producer = coroutine.wrap(function() for i = 1, math.huge do coroutine.yield(i * i) end end)
assert(producer() == 1 and producer() == 4)
local function deep(n) return n == 0 and 0 or 1 + deep(n - 1) end
assert(deep(50000) == 50000)
assert(select(2, pcall(function() local function f() return 1 + f() end return f() end)):match("stack overflow"))
collectgarbage()
assert(collectgarbage("count") > 0 and select(2, pcall(error, { code = 5 })).code == 5)
print("ok")
