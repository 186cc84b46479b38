function inner(values) {
  return values.missing.length;
}

function outer() {
  return inner({});
}

outer();
