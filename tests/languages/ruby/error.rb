def inner(values)
  values.fetch(:missing)
end

def outer
  inner({})
end

outer
