setmetatable({}, { __gc = function() print("leaving") end })
os.exit(7, true)
