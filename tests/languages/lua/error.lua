local function inner(values)
  return values.missing.deeper
end

local function outer()
  local result = inner({})
  return result
end

local result = outer()
return result
