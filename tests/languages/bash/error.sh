set -eu
inner() {
  echo "${missing_variable}"
}
inner
