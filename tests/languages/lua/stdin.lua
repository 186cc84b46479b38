local title = io.read()
local count, sum = 0, 0
for word in io.read("a"):gmatch("%S+") do
  count, sum = count + 1, sum + tonumber(word)
end
print(("%s: %d numbers, sum %d"):format(title, count, sum))
