async function fails() {
  throw new RangeError('nobody catches this');
}

fails();
