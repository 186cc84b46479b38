read -r title
mapfile -t lines
words=(${lines[*]})
sum=0
for word in "${words[@]}"; do
  ((sum += word))
done
echo "$title: ${#words[@]} numbers, sum $sum"
