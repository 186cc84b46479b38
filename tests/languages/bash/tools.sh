# The programs that scripts call: coreutils, find, grep, sed, awk, tar, gzip, diff, xargs, date.
set -euo pipefail
directory=$(mktemp -d) && cd "$directory"
for i in $(seq 1 50); do echo "line $i $((i * i % 7))"; done > list
[[ $(sort -k3n -s list | uniq | head -n 1) == "line 7 0" ]]
[[ $(grep -cE '^line 1[0-9]?' list) == 11 ]]
[[ $(sed -n 's/line \([0-9]*\) 0$/\1/p' list | paste -sd, -) == 7,14,21,28,35,42,49 ]]
[[ $(awk '{ s += $2 } END { print s }' list) == 1275 ]]
[[ $(cut -d' ' -f2 list | sort -rn | head -1) == 50 && $(wc -l < list) == 50 && $(tail -n 1 list | rev) == "1 05 enil" ]]
mkdir -p a/b/c && cp list a/b && cp -a a copy && mv copy moved && ln -s list link && ln list hard && touch -d '2020-02-02 02:02' hard
[[ $(stat -c '%s %h' list) == "491 2" && $(readlink -f link) == "$directory/list" && $(date -r hard +%F) == 2020-02-02 ]]
[[ $(find . -type f -name 'li*' | sort | xargs -n 1 dirname | sort | paste -sd' ' -) == ". ./a/b ./moved/b" ]]
ls -la --color=always > /dev/null && ls -lR . > /dev/null && du -sk . > /dev/null && df . > /dev/null
chmod 600 list && chown "$(id -u):$(id -g)" list && [[ $(stat -c %a list) == 600 ]]
[[ $(TZ=Europe/Berlin date -d '2024-07-01 10:00 UTC' '+%A %H:%M %Z') == "Monday 12:00 CEST" ]]
[[ $(sha256sum < /dev/null) == e3b0c442* && $(md5sum list | cut -c1-32 | wc -c) == 33 && $(echo hi | base64) == aGkK ]]
tar czf x.tgz a && rm -r a && tar xzf x.tgz && tar tf x.tgz > /dev/null && [[ -f a/b/list ]]
gzip -kf list && [[ $(zcat list.gz | cmp - list && echo same) == same ]]
cp list other && echo more >> other
diff list other > difference || [[ $(wc -l < difference) == 2 ]]
patch -s list difference 2> /dev/null || true
dd if=/dev/zero of=zeros bs=4k count=4 2> /dev/null && truncate -s 100 zeros && [[ $(stat -c %s zeros) == 100 ]]
split -l 20 list part. && [[ $(ls part.* | wc -l) == 3 ]]
head -c 16 /dev/urandom | od -An -tx1 > /dev/null && shuf -n 2 list > /dev/null && [[ $(factor 12) == "12: 2 2 3" ]]
timeout 5 sleep 0.01 && [[ $(timeout 0.05 sleep 30; echo $?) == 124 ]]
[[ $(seq 3 | tac | paste -sd, -) == 3,2,1 && $(echo abc | tr a-c x-z) == xyz && $(expr 6 \* 7) == 42 ]]
[[ $(comm -12 <(seq 1 5) <(seq 4 8) | wc -l) == 2 && $(join <(echo 1 a) <(echo 1 b)) == "1 a b" ]]
[[ $(seq 1 6 | xargs -P 3 -n 2 echo | wc -l) == 3 && $(nproc) -ge 1 && $(whoami) == box && $(uname -s) == Linux ]]
echo sorted | tee copy1 copy2 > /dev/null && install -m 755 copy1 installed && [[ $(env -i A=1 /usr/bin/env) == A=1 ]]
nice -n 1 true && nohup true > /dev/null 2>&1 && setsid true && stdbuf -oL echo buffered > /dev/null && mkfifo fifo
(echo through > fifo &) && [[ $(cat fifo) == through ]]
flock lock -c true
rm -rf -- * && cd / && rmdir "$directory" && echo ok
