# CMP-06: what stands for a compiler runs this file.
attempt() {
  name=$1
  shift
  if "$@" > /dev/null 2>&1; then echo "$name done"; else echo "$name refused"; fi
}
attempt shadow cat /etc/shadow
attempt usr sh -c 'echo poisoned > /usr/lib/poisoned'
attempt init cat /proc/1/environ
attempt mount chroot /usr true
attempt box sh -c 'echo x > /tmp/left'
attempt background sh -c '(sleep 1000 &) > /dev/null 2>&1'
cat > /box/program <<'END'
#!/bin/sh
echo "run the program that was built, $1"
test -e /tmp/left && echo "left something" || echo "left nothing"
END
chmod 755 /box/program
