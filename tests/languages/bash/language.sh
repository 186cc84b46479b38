# The shell's own means: arrays, expansions, traps, jobs, coprocesses, substitutions, arithmetic.
set -euo pipefail
declare -A ages=([ann]=30 [bob]=25)
[[ ${ages[ann]} == 30 && ${#ages[@]} == 2 ]]
text="one two three"
[[ ${text#* } == "two three" && ${text/two/2} == "one 2 three" && ${text^^} == "ONE TWO THREE" && ${text:4:3} == two ]]
[[ $text =~ ^([a-z]+)\ ([a-z]+) && ${BASH_REMATCH[2]} == two ]]
factorial() { local n=$1; ((n <= 1)) && echo 1 || echo $((n * $(factorial $((n - 1))))); }
[[ $(factorial 10) == 3628800 ]]
[[ $(cat <(echo substituted)) == substituted ]]
[[ $(tr a-z A-Z <<< here) == HERE ]]
exec 4> >(sed 's/^/> /' > piped)
cat >&4 <<EOF
document of $USER_NAME
EOF
exec 4>&-
wait $!
[[ $(cat piped) == "> document of reader" ]]
coproc BACK { while read -r line; do echo "back $line"; done; }
echo there >&"${BACK[1]}"
read -r answer <&"${BACK[0]}"
[[ $answer == "back there" ]]
kill "$BACK_PID" && { wait "$BACK_PID" || true; }
caught=
trap 'caught=yes' USR1
kill -USR1 $$
[[ $caught == yes ]]
for n in 1 2 3; do (sleep 0.01; exit "$n") & pids[$n]=$!; done
codes=
for n in 1 2 3; do wait "${pids[$n]}" || codes+=$?; done
[[ $codes == 123 ]]
exec 3> third && echo three >&3 && exec 3>&-
[[ $(< third) == three ]]
printf -v padded '%05d|%-4s|%x' 42 ab 255
[[ $padded == "00042|ab  |ff" ]]
[[ $(printf '%(%Y)T' 0) =~ ^19(69|70)$ ]]
select_result=$(echo 2 | { select word in a b c; do echo "$word"; break; done 2> /dev/null; })
[[ $select_result == b ]]
ulimit -a > /dev/null
ulimit -n 100
{ time -p true; } 2> timing
shopt -s extglob globstar nullglob
mkdir -p glob/x/y && touch glob/{a,b}.txt glob/x/y/c.txt
files=(glob/**/*.txt)
[[ ${#files[@]} == 3 ]]
[[ $RANDOM != "$RANDOM$RANDOM" && $SECONDS -ge 0 && $HOSTNAME == caisson && $UID == 1000 ]]
set +e
false | true
[[ "${PIPESTATUS[*]}" == "1 0" ]] && echo ok
